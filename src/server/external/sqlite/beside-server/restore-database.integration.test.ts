import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  createStarting,
  makeFolder,
  must,
  openIn,
  spawnWithStore,
  toId,
} from "../../../../../tests/support/store.ts";
import type { Problem, Result } from "../../../../base/result.ts";
import type { StartingJob } from "../../../core/jobs/job.ts";
import { openStore } from "../open-store.ts";
import { type Restored, restoreDatabase } from "./restore-database.ts";
import { writeBackup } from "./write-backup.ts";

const NO_JOBS = { queued: 0, starting: 0, running: 0, completed: 0, failed: 0, killed: 0 };
const MADE_AT = 1_700_000_000;

const fill = async (serverDir: string, ...ids: readonly string[]): Promise<void> => {
  const store = openIn(serverDir);
  const insert = store.write((transaction) => {
    for (const id of ids) transaction.insertJob(createQueued(id), { TOKEN: `secret of ${id}` });
  });
  must(await insert);
  await store.close();
};

const backUp = (serverDir: string): string => {
  const path = join(makeFolder(), "backup.db");
  must(writeBackup({ serverDir, path, madeAt: MADE_AT }));
  return path;
};

type Outcome = Result<Restored, Problem>;

const restore = (serverDir: string, file: string, launches: readonly StartingJob[] = []): Outcome =>
  restoreDatabase({ serverDir, file, stamp: "now", readLaunches: () => launches });

const messageOf = (outcome: Result<unknown, Problem>): string => (outcome.ok ? "it was done" : outcome.error.message);

const listQueued = (serverDir: string): readonly string[] =>
  openIn(serverDir)
    .loadQueuedJobs()
    .map((job) => job.id);

test("a backup is one private file with all that another folder needs, environments included", async () => {
  const folder = makeFolder();
  await fill(folder, "a", "b");
  const path = backUp(folder);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const elsewhere = makeFolder();
  const restored = must(restore(elsewhere, path));
  expect(restored).toEqual({ madeAt: MADE_AT, counts: { ...NO_JOBS, queued: 2 }, launched: 0, kept: [] });
  const store = openIn(elsewhere);
  expect(store.loadEnvironment(toId("b"))).toEqual({ TOKEN: "secret of b" });
  expect(statSync(join(elsewhere, "jobs.db")).mode & 0o777).toBe(0o600);
  expect(statSync(join(elsewhere, "secret.key")).mode & 0o777).toBe(0o600);
});

test("a restored database does not hold the key that the backup held", async () => {
  const folder = makeFolder();
  await fill(folder, "a");
  const path = backUp(folder);
  const key = readFileSync(join(folder, "secret.key"));
  expect(readFileSync(path).includes(key)).toBe(true);
  must(restore(folder, path));
  expect(readFileSync(join(folder, "jobs.db")).includes(key)).toBe(false);
});

const WRITE_BATCHES = `
  for (let round = 0; ; round += 1) {
    must(await store.write((transaction) => {
      for (const name of ["x", "y", "z"]) transaction.insertJob(createQueued(name + round), {});
    }));
    say(String(round + 1));
  }`;

test("a backup is taken while a server writes: it has every batch that was answered before, and no half of one", async () => {
  const folder = makeFolder();
  const child = spawnWithStore(folder, WRITE_BATCHES);
  const answers = child.stdout.getReader();
  for (let round = 0; round < 5; round += 1) {
    const { value } = await answers.read();
    const answered = Number(new TextDecoder().decode(value).trim().split("\n").at(-1));
    const { queued } = must(restore(makeFolder(), backUp(folder))).counts;
    expect(queued % 3).toBe(0);
    expect(queued).toBeGreaterThanOrEqual(answered * 3);
  }
});

test("a backup is refused in one line, with nothing left: of no database, over a file, into no folder, of a damaged one", async () => {
  const folder = makeFolder();
  const target = makeFolder();
  const path = join(target, "backup.db");
  const write = (to: string): string => messageOf(writeBackup({ serverDir: folder, path: to, madeAt: MADE_AT }));
  expect(write(path)).toBe(`There is no database in ${folder}`);
  await fill(folder, "a");
  writeFileSync(join(target, "there"), "precious");
  expect(write(join(target, "there"))).toContain("is there already");
  expect(write(join(target, "none", "backup.db"))).toContain(join(target, "none"));
  const bytes = readFileSync(join(folder, "jobs.db"));
  writeFileSync(
    join(folder, "jobs.db"),
    Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 1)]),
  );
  expect(write(path)).toContain(`${join(folder, "jobs.db")} is damaged`);
  expect(readdirSync(target)).toEqual(["there"]);
  expect(readFileSync(join(target, "there"), "utf8")).toBe("precious");
});

test("what was there is kept beside, the write-ahead log that a killed server left included", async () => {
  const folder = makeFolder();
  await fill(folder, "old");
  const path = backUp(folder);
  const child = spawnWithStore(
    folder,
    `must(await store.write((transaction) => transaction.insertJob(createQueued("new"), {})));
    say("written"); await new Promise((resolve) => setTimeout(resolve, 60_000));`,
  );
  await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  const { kept } = must(restore(folder, path));
  expect(kept).toEqual([join(folder, "jobs.db.before-restore-now")]);
  expect(listQueued(folder)).toEqual(["old"]);
  const before = new Database(kept[0] ?? "", { readonly: true });
  expect(before.query("select id from jobs order by seq").all()).toEqual([{ id: "old" }, { id: "new" }]);
  before.close();
});

test("another key is kept beside, and the backup's takes its place", async () => {
  const folder = makeFolder();
  await fill(folder, "a");
  const path = backUp(folder);
  const key = join(folder, "secret.key");
  writeFileSync(key, Buffer.alloc(32, 9));
  expect(must(restore(folder, path)).kept).toContain(`${key}.before-restore-now`);
  expect(readFileSync(`${key}.before-restore-now`).equals(Buffer.alloc(32, 9))).toBe(true);
  expect(openIn(folder).loadEnvironment(toId("a"))).toEqual({ TOKEN: "secret of a" });
});

const expectUntouched = async (spoil: (path: string) => void, message: string): Promise<void> => {
  const folder = makeFolder();
  await fill(folder, "a");
  const path = backUp(folder);
  spoil(path);
  const before = readFileSync(join(folder, "jobs.db"));
  const names = readdirSync(folder);
  const refused = messageOf(restore(folder, path));
  expect(refused).toContain(message);
  expect(refused).not.toContain("\n");
  expect(readFileSync(join(folder, "jobs.db")).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(names);
};

test("a backup with a damaged page is refused, and nothing is touched", () =>
  expectUntouched((path) => {
    const bytes = readFileSync(path);
    bytes.fill(0x55, 8192, 8192 + 4096);
    writeFileSync(path, bytes);
  }, "is damaged"));

test("a file that is no backup is refused, and nothing is touched", () =>
  expectUntouched((path) => writeFileSync(path, "no database ".repeat(1000)), "is damaged or no backup"));

test("a backup of a newer version is refused with the version that it needs, and nothing is touched", () =>
  expectUntouched((path) => {
    const db = new Database(path);
    db.exec("pragma user_version = 99; update settings set value = '9.8.7' where name = 'written_by'");
    db.close();
  }, "was written by Nexus 9.8.7 (schema version 99"));

test("a folder that a server has is refused, and nothing is touched", async () => {
  const folder = makeFolder();
  await fill(folder, "a");
  const path = backUp(folder);
  const store = openIn(folder);
  expect(messageOf(restore(folder, path))).toContain(`is in use by another nexus-server (pid ${process.pid})`);
  await addJobs(store, [createQueued("b")]);
  expect(store.countJobs().queued).toBe(2);
});

test("a plain copy of a database can be restored too, with the key that is there", async () => {
  const folder = makeFolder();
  await fill(folder, "a");
  const copy = join(makeFolder(), "copy.db");
  copyFileSync(join(folder, "jobs.db"), copy);
  expect(must(restore(folder, copy)).madeAt).toBeNull();
  expect(openIn(folder).loadEnvironment(toId("a"))).toEqual({ TOKEN: "secret of a" });
});

test("after a restore that was interrupted no server starts on half a state, and restoring again heals it", async () => {
  const folder = makeFolder();
  await fill(folder, "a");
  const path = backUp(folder);
  renameSync(join(folder, "jobs.db"), join(folder, "jobs.db.restoring"));
  const refused = messageOf(openStore({ serverDir: folder, clock: () => 0 }));
  expect(refused).toBe(`A restore in ${folder} was interrupted: run nexus-server restore again`);
  expect(existsSync(join(folder, "jobs.db"))).toBe(false);
  must(restore(folder, path));
  expect(listQueued(folder)).toEqual(["a"]);
});

test("jobs that were launched after the backup are starting, as their folders tell, and those it knows stay", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("waiting"), createQueued("since"), createEnded("ended"), createStarting("known")]);
  await store.close();
  const launches = ["since", "unknown", "ended", "known"].map((id) => createStarting(id, { gpuIdxs: [1] }));
  const { launched, counts } = must(restore(folder, backUp(folder), launches));
  expect([launched, counts]).toEqual([2, { ...NO_JOBS, queued: 1, starting: 3, completed: 1 }]);
  const after = openIn(folder);
  expect(after.findJob(toId("unknown"))).toEqual(createStarting("unknown", { gpuIdxs: [1] }));
  expect(after.findJob(toId("since"))).toMatchObject({ status: "starting", gpuIdxs: [1] });
  expect(after.findJob(toId("known"))).toMatchObject({ status: "starting", gpuIdxs: [0] });
  expect(after.findJob(toId("ended"))?.status).toBe("completed");
});
