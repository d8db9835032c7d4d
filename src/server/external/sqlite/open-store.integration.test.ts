import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  makeFolder,
  must,
  openIn,
  spawnWithStore,
  toId,
} from "../../../../tests/support/store.ts";
import { VERSION } from "../../../base/version.ts";
import { SCHEMA_VERSION } from "./migrate.ts";
import { openDatabase } from "./open-database.ts";
import { openStore } from "./open-store.ts";

const refuse = (serverDir: string): string => {
  const opened = openStore({ serverDir, clock: () => 0 });
  return opened.ok ? "it opened" : opened.error.message;
};

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("all that it writes is for its owner only", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("a")]);
  for (const name of readdirSync(folder).filter((file) => file !== "server.pid")) {
    expect([name, modeOf(join(folder, name))]).toEqual([name, 0o600]);
  }
  expect(readdirSync(folder)).toContain("jobs.db-wal");
});

test("a database that others could read is closed to them", async () => {
  const folder = makeFolder();
  await openIn(folder).close();
  chmodSync(join(folder, "jobs.db"), 0o644);
  openIn(folder);
  expect(modeOf(join(folder, "jobs.db"))).toBe(0o600);
});

test("it is durable: a write-ahead log, synced at each commit, of which space can be given back", () => {
  const db = must(openDatabase(join(makeFolder(), "jobs.db")));
  expect(db.query("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(db.query("pragma synchronous").get()).toEqual({ synchronous: 2 });
  expect(db.query("pragma auto_vacuum").get()).toEqual({ auto_vacuum: 2 });
  expect(db.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  db.close();
});

test("a closed store leaves one database file and opens again", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("a"), createEnded("b")]);
  await store.close();
  expect(readdirSync(folder).toSorted()).toEqual(["jobs.db", "secret.key", "server.lock"]);
  expect(openIn(folder).countJobs()).toMatchObject({ queued: 1, running: 0, completed: 1 });
});

test("a folder has one server: a second open is refused with its name and the pid, and harms nothing", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  for (let attempt = 0; attempt < 3; attempt++) {
    expect(refuse(folder)).toBe(
      `${folder} is in use by another nexus-server (pid ${process.pid}): stop that one, or choose another folder`,
    );
  }
  await addJobs(store, [createQueued("a")]);
  await store.close();
  expect(openIn(folder).countJobs().queued).toBe(1);
});

test("the lock goes with the process that holds it, however it ends", async () => {
  const folder = makeFolder();
  const child = spawnWithStore(folder, 'say("open"); await new Promise((resolve) => setTimeout(resolve, 60_000));');
  await child.stdout.getReader().read();
  expect(refuse(folder)).toContain(`(pid ${child.pid})`);
  child.kill("SIGKILL");
  await child.exited;
  expect(openIn(folder).countJobs().queued).toBe(0);
});

test("a copy can be taken while it is open", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [createQueued("a")]);
  const reader = new Database(join(folder, "jobs.db"), { readonly: true });
  const copy = join(folder, "copy.db");
  reader.query("vacuum into ?").run(copy);
  reader.close();
  await addJobs(store, [createQueued("b")]);
  const copied = new Database(copy, { readonly: true });
  expect(copied.query("select id from jobs").all()).toEqual([{ id: "a" }]);
  copied.close();
});

const fillDatabase = async (folder: string): Promise<string> => {
  const store = openIn(folder);
  await addJobs(store, [createQueued("a")]);
  await store.close();
  return join(folder, "jobs.db");
};

const expectKept = (path: string, folder: string, message: string): void => {
  const before = readFileSync(path);
  const refused = refuse(folder);
  expect(refused).toContain(path);
  expect(refused).toContain(message);
  expect(refused).not.toContain("\n");
  expect(readFileSync(path).equals(before)).toBe(true);
};

test("a file that is no database is refused in one line and kept", () => {
  const folder = makeFolder();
  const path = join(folder, "jobs.db");
  writeFileSync(path, "not a database at all ".repeat(1000));
  expectKept(path, folder, "is damaged or not a database");
  rmSync(path);
  expect(openIn(folder).countJobs().queued).toBe(0);
});

test("a damaged database is refused in one line and kept", async () => {
  const folder = makeFolder();
  const path = await fillDatabase(folder);
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0x55)]));
  expectKept(path, folder, "is damaged or not a database");
});

test("a database of a newer version is refused and kept", async () => {
  const folder = makeFolder();
  const path = await fillDatabase(folder);
  const db = new Database(path);
  db.exec("pragma user_version = 99; update settings set value = '9.8.7' where name = 'written_by'");
  db.exec("pragma wal_checkpoint(truncate)");
  db.close();
  expectKept(
    path,
    folder,
    `was written by Nexus 9.8.7 (schema version 99, this one, ${VERSION}, knows up to ${SCHEMA_VERSION}): install that version`,
  );
});

test("a database of another program is refused and kept", () => {
  const folder = makeFolder();
  const path = join(folder, "jobs.db");
  const db = new Database(path);
  db.exec("create table jobs (id text)");
  db.close();
  expectKept(path, folder, "was not written by this Nexus");
});

test("a folder that is not there, or a file in its place, is told", () => {
  const folder = makeFolder();
  expect(refuse(join(folder, "none"))).toContain(join(folder, "none"));
  writeFileSync(join(folder, "file"), "");
  expect(refuse(join(folder, "file"))).toContain(join(folder, "file"));
});

const storeSecret = async (folder: string): Promise<void> => {
  const store = openIn(folder);
  must(await store.write((transaction) => transaction.insertJob(createQueued("a"), { TOKEN: "x" })));
  await store.close();
};

test("a key of a wrong length stops the start, names its file, and gives the folder back", async () => {
  const folder = makeFolder();
  await storeSecret(folder);
  const key = join(folder, "secret.key");
  copyFileSync(key, `${key}.kept`);
  writeFileSync(key, "short");
  expect(refuse(folder)).toBe(`${key} is not a key of 32 bytes: restore it from your backup`);
  copyFileSync(`${key}.kept`, key);
  expect(openIn(folder).loadEnvironment(toId("a"))).toEqual({ TOKEN: "x" });
});

test("another key stops the start only while a job's environment needs the old one", async () => {
  const folder = makeFolder();
  await storeSecret(folder);
  const key = join(folder, "secret.key");
  const kept = readFileSync(key);
  writeFileSync(key, new Uint8Array(32).fill(1));
  expect(refuse(folder)).toContain(`${key} is not the key that the environments of the waiting jobs`);
  writeFileSync(key, kept);
  const store = openIn(folder);
  must(await store.write((transaction) => transaction.saveJob(createEnded("a"))));
  await store.close();
  rmSync(key);
  expect(openIn(folder).countJobs().completed).toBe(1);
  expect(existsSync(key)).toBe(true);
});

test("a lost key is not replaced while a job's environment needs it", async () => {
  const folder = makeFolder();
  await storeSecret(folder);
  rmSync(join(folder, "secret.key"));
  expect(refuse(folder)).toContain("restore it from your backup");
});
