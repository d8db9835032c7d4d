import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeEarlier, copyEarlier } from "../../tests/support/earlier.ts";
import { createQueued, listAll, must, openIn, toId } from "../../tests/support/store.ts";
import type { EndedJob, Job } from "./core/jobs/job.ts";
import type { Store } from "./core/store.ts";
import { findEarlierDatabase } from "./external/earlier/find-database.ts";
import { openEnds } from "./external/sqlite/beside-server/open-ends.ts";
import { type TakenOver, takeOverEarlier } from "./take-over-earlier.ts";

const QUEUE = ["high01", "first1", "back01", "low001"];
const AT = 1_700_000_000;

let place: string;
let folder: string;
let serverDir: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "nexus-take-over-"));
  folder = copyEarlier(join(place, "earlier"));
  serverDir = join(place, "server");
});

afterEach(() => rmSync(place, { recursive: true }));

const change = (sql: string): void => changeEarlier(folder, sql);

const tryTakeOver = async (): Promise<Awaited<ReturnType<typeof takeOverEarlier>>> => {
  const path = findEarlierDatabase(folder);
  return path.ok ? takeOverEarlier(path.value, serverDir) : path;
};

const takeOver = async (): Promise<TakenOver> => must(await tryTakeOver());

const refusal = async (): Promise<string> => {
  const taken = await tryTakeOver();
  return taken.ok ? "" : taken.error.message;
};

const listQueue = (store: Store): readonly string[] => store.loadQueuedJobs().map(({ id }) => id);

const find = (store: Store, id: string): Job => {
  const job = store.findJob(toId(id));
  if (job === null) throw new Error(`there is no job ${id}`);
  return job;
};

const hashAll = (top: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(top, { recursive: true, encoding: "utf8" })
      .toSorted()
      .map((name) => join(top, name))
      .map((path) => {
        const { mtimeMs, mode, size } = statSync(path);
        const content = statSync(path).isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
        return [path, `${content} ${mtimeMs} ${mode} ${size}`];
      }),
  );

const withStore = async <Value>(use: (store: Store) => Value): Promise<Awaited<Value>> => {
  const store = openIn(serverDir);
  const value = await use(store);
  await store.close();
  return value;
};

describe("queued jobs", () => {
  test("wait in the order in which they would have started, with all that was asked for", async () => {
    await takeOver();
    const store = openIn(serverDir);
    expect(listQueue(store)).toEqual(QUEUE);
    expect(find(store, "high01")).toMatchObject({
      ...{ user: "bob", priority: 5, numGpus: 1, requestedGpuIdxs: [1], ignoreBlacklist: true, gitTag: "t1" },
      createdAt: AT + 9,
    });
    expect(find(store, "back01")).toMatchObject({
      jobrc: "export A=1\n",
      numGpus: 0,
      gitRepoUrl: "https://example.org/r",
    });
    expect(find(store, "first1")).toMatchObject({ integrations: ["wandb"], notifications: ["discord"] });
    expect(store.loadEnvironment(toId("first1"))).toMatchObject({ NAME: "first1", WANDB_API_KEY: "key-1" });
  });

  test("keep that order where their times do not tell it", async () => {
    change(
      "update jobs set created_at = 5, priority = 0 where status = 'queued'; update jobs set created_at = 1 where id = 'back01'",
    );
    await takeOver();
    expect(await withStore(listQueue)).toEqual(["low001", "first1", "back01", "high01"]);
  });

  test("have their code, and one whose code is not there has failed with that reason", async () => {
    await takeOver();
    const store = openIn(serverDir);
    const { artifactId } = find(store, "first1");
    if (artifactId === null) throw new Error("no code");
    expect(Buffer.concat([...store.artifacts.read(artifactId)]).toString()).toContain("code of then");
    const job = find(store, "nocode") as EndedJob;
    expect([job.status, job.errorMessage]).toEqual([
      "failed",
      expect.stringContaining("its code (artifact gone) is not in the database"),
    ]);
  });

  test.each([
    ["env = '{broken'", "its environment can't be read"],
    ["env = '[1]'", "its environment can't be read"],
    ["gpu_idxs = 'x,1'", "the GPUs that it asks for can't be read"],
    ["command = ''", "it has no command that can be read"],
    ["command = null", "it has no command that can be read"],
  ])("with %s do not run otherwise than they were meant", async (mistake, reason) => {
    change(`update jobs set ${mistake} where id = 'first1'`);
    await takeOver();
    const job = await withStore((store) => find(store, "first1") as EndedJob);
    expect([job.status, job.errorMessage]).toEqual(["failed", expect.stringContaining(reason)]);
  });

  test("lose a variable that no program can be given, and a service that is not known, and say so", async () => {
    change(`update jobs set env = '{"A-B": "1", "C": "2"}', notifications = 'discord,pigeon' where id = 'low001'`);
    await takeOver();
    const store = openIn(serverDir);
    expect(store.loadEnvironment(toId("low001"))).toEqual({ C: "2" });
    expect(find(store, "low001").notes).toEqual([
      "Its variable A-B was left out: no program can be given it",
      "pigeon, which it asks for, is not known here",
    ]);
  });
});

describe("ended jobs", () => {
  test("are history, with their logs", async () => {
    await takeOver();
    const store = openIn(serverDir);
    expect(find(store, "done01")).toMatchObject({
      ...{ status: "completed", exitCode: 0, completedAt: AT + 70, startedAt: AT + 10, gpuIdxs: [0] },
      wandbUrl: "https://wandb.ai/ada/p/runs/r",
    });
    expect(find(store, "fail01")).toMatchObject({
      status: "failed",
      exitCode: 3,
      errorMessage: "Job failed with exit code 3",
    });
    expect(find(store, "kill01")).toMatchObject({ status: "killed", exitCode: null });
    expect(find(store, "never1")).toMatchObject({ errorMessage: "Failed to start job: Artifact not found: gone" });
    expect(readFileSync(join(serverDir, "jobs", "done01", "output.log"), "utf8")).toContain("result 42");
    expect(existsSync(join(serverDir, "jobs", "never1"))).toBe(false);
    expect((await listAll(store, { statuses: ["completed"] })).map(({ id }) => id)).toEqual([toId("done01")]);
  });

  test("keep their logs as long as if they had just ended", async () => {
    await takeOver();
    const ends = must(openEnds(serverDir));
    expect(ends.findEnd(toId("done01"))?.endedAt).toBeGreaterThan(Date.now() / 1000 - 60);
    ends.close();
  });

  test("may have lost their folder, and what of them is no JSON", async () => {
    rmSync(join(folder, "job-folders"), { recursive: true });
    change("update jobs set notification_messages = '{', env = '{' where id = 'done01'");
    await takeOver();
    expect(await withStore((store) => find(store, "done01"))).toMatchObject({
      status: "completed",
      notificationMessages: {},
    });
  });

  test("show no file that a link in their folder leads to", async () => {
    const log = join(folder, "job-folders", "nexus-job-done01-abcdefgh", "output.log");
    const secret = join(place, "secret");
    writeFileSync(secret, "secret");
    renameSync(log, `${log}.old`);
    Bun.spawnSync(["ln", "-s", secret, log]);
    await takeOver();
    expect(existsSync(join(serverDir, "jobs", "done01", "output.log"))).toBe(false);
  });
});

describe("what was there", () => {
  test("is not changed by a byte, nor in its time", async () => {
    const before = hashAll(folder);
    await takeOver();
    await takeOver();
    expect(hashAll(folder)).toEqual(before);
  });

  test("is not changed either where its last change was cut off, which then counts as not done", async () => {
    const path = join(folder, "nexus_server.db");
    const db = new Database(path);
    db.exec("pragma cache_size = 1; begin; update jobs set command = hex(randomblob(20000)) where status = 'queued'");
    mkdirSync(join(place, "cut"));
    for (const suffix of ["", "-journal"]) copyFileSync(path + suffix, join(place, "cut", `nexus_server.db${suffix}`));
    db.exec("rollback");
    db.close();
    folder = join(place, "cut");
    const before = hashAll(folder);
    await takeOver();
    expect(hashAll(folder)).toEqual(before);
    expect((await withStore((store) => find(store, "low001"))).command).toBe("echo low001");
    expect(readdirSync(serverDir).filter((name) => name.startsWith("earlier"))).toEqual([]);
  });

  test("is read whole where it has a write-ahead log", async () => {
    const path = join(folder, "nexus_server.db");
    const db = new Database(path);
    db.exec("pragma journal_mode = wal; update jobs set command = 'in the log' where id = 'low001'");
    mkdirSync(join(place, "logged"));
    for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, join(place, "logged", `nexus_server.db${suffix}`));
    db.close();
    folder = join(place, "logged");
    const before = hashAll(folder);
    await takeOver();
    expect(hashAll(folder)).toEqual(before);
    expect((await withStore((store) => find(store, "low001"))).command).toBe("in the log");
  });
});

describe("done again", () => {
  test("it does nothing, also with what was removed and taken off the blacklist since", async () => {
    const first = await takeOver();
    expect([first.jobs.length, first.known, first.blacklist]).toEqual([13, 0, [1, 3]]);
    await withStore((store) =>
      store.write((transaction) => {
        transaction.deleteJob(toId("low001"));
        transaction.setBlacklisted(3, false);
      }),
    );
    const again = await takeOver();
    expect([again.jobs.length, again.known, again.blacklist]).toEqual([0, 13, []]);
    const store = openIn(serverDir);
    expect(store.findJob(toId("low001"))).toBeNull();
    expect(store.listBlacklist()).toEqual(new Set([1]));
  });

  test("it takes what came since, should the earlier server have gone on", async () => {
    await takeOver();
    change(
      "insert into jobs select 'later1', command, artifact_id, git_repo_url, git_branch, git_tag, status, created_at, priority, num_gpus, env, node_name, jobrc, integrations, notifications, notification_messages, pid, dir, started_at, gpu_idxs, wandb_url, marked_for_kill, completed_at, exit_code, error_message, user, ignore_blacklist, screen_session_name from jobs where id = 'low001'",
    );
    expect((await takeOver()).jobs.map(({ job }) => job.id)).toEqual([toId("later1")]);
  });

  test("it goes on after a failure, of which nothing is left", async () => {
    const inTheWay = join(serverDir, "jobs", "kill01");
    mkdirSync(join(inTheWay, "repo"), { recursive: true, mode: 0o700 });
    expect(await refusal()).toContain(`${inTheWay} holds repo of another job`);
    expect(readdirSync(join(serverDir, "jobs"))).toEqual(["kill01"]);
    expect(await withStore((store) => store.countJobs().queued)).toBe(0);
    rmSync(inTheWay, { recursive: true });
    expect((await takeOver()).jobs).toHaveLength(13);
  });

  test("it goes on after a kill, in whose folders it finds its own", async () => {
    const left = join(serverDir, "jobs", "done01");
    mkdirSync(left, { recursive: true, mode: 0o700 });
    writeFileSync(join(left, "output.log"), "half");
    await takeOver();
    expect(readFileSync(join(left, "output.log"), "utf8")).toContain("result 42");
  });
});

describe("a database", () => {
  test("of another version lacks columns and tables", async () => {
    change(`alter table jobs drop column screen_session_name; alter table jobs drop column ignore_blacklist; alter table jobs drop column git_tag;
      drop index idx_artifacts_git_sha; alter table artifacts drop column git_sha; drop table blacklisted_gpus; alter table jobs add column later text`);
    expect((await takeOver()).jobs).toHaveLength(13);
    expect(await withStore(listQueue)).toEqual(QUEUE);
  });

  test("without artifacts has jobs that can't run", async () => {
    change("drop table artifacts");
    await takeOver();
    expect(await withStore((store) => store.countJobs())).toMatchObject({ queued: 0, failed: 7 });
  });

  test("with rows that can be no job is taken over but for them", async () => {
    change("update jobs set id = '../../etc' where id = 'low001'; update jobs set status = 'odd' where id = 'back01'");
    expect((await takeOver()).left).toEqual([
      `job "../../etc": its id can be none here`,
      `job "back01": its status, "odd", is not known here`,
    ]);
    expect(await withStore(listQueue)).toEqual(["high01", "first1"]);
  });

  test("with a large artifact is read in parts", async () => {
    change("update artifacts set data = cast(zeroblob(70000000) || x'01' as blob)");
    await takeOver();
    const store = openIn(serverDir);
    const { artifactId } = find(store, "first1");
    if (artifactId === null) throw new Error("no code");
    expect((await store.artifacts.open(artifactId))?.bytes).toBe(70_000_001);
  });

  test("that a program has open is refused, with what to do", async () => {
    const file = openSync(join(folder, "nexus_server.db"), "r");
    const child = Bun.spawn(["sleep", "60"], { stdio: [file, "ignore", "ignore"] });
    try {
      expect(await refusal()).toContain(
        `nexus_server.db is open in another program (sleep, pid ${child.pid}): stop the earlier server`,
      );
      expect(existsSync(serverDir)).toBe(false);
    } finally {
      child.kill();
      await child.exited;
    }
  });

  test("of another program, or of this Nexus, is refused", async () => {
    change("alter table jobs rename to others");
    expect(await refusal()).toContain("is no database of the earlier Nexus");
    writeFileSync(join(folder, "nexus_server.db"), "no database at all, whatever its name may say of it");
    expect(await refusal()).toContain("can't be read");
    folder = join(place, "newer");
    mkdirSync(folder, { mode: 0o700 });
    await openIn(folder).close();
    expect(await refusal()).toContain("is of this Nexus already");
    changeEarlier(folder, "pragma user_version = 999", "jobs.db");
    expect(await refusal()).toContain("knows up to");
  });

  test("in the place of this server's own gets the name that it had, and is kept", async () => {
    mkdirSync(serverDir, { mode: 0o700 });
    renameSync(join(folder, "nexus_server.db"), join(serverDir, "jobs.db"));
    const before = readFileSync(join(serverDir, "jobs.db"));
    folder = serverDir;
    expect((await takeOver()).jobs).toHaveLength(13);
    expect(readFileSync(join(serverDir, "nexus_server.db")).equals(before)).toBe(true);
    expect((await takeOver()).known).toBe(13);
  });
});

test("a job of the same id that is another one is refused, and nothing is taken over", async () => {
  mkdirSync(serverDir, { mode: 0o700 });
  await withStore((store) => store.write((transaction) => transaction.insertJob(createQueued("low001"), {})));
  expect(await refusal()).toContain("another job is called low001 here");
  expect(await withStore((store) => store.countJobs().queued)).toBe(1);
});

test("a server folder that a server has is refused", async () => {
  mkdirSync(serverDir, { mode: 0o700 });
  openIn(serverDir);
  expect(await refusal()).toContain("is in use by another nexus-server");
});
