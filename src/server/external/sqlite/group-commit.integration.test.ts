import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import {
  addJobs,
  createQueued,
  makeFolder,
  must,
  openIn,
  openTemporary,
  spawnWithStore,
  toId,
  upload,
} from "../../../../tests/support/store.ts";
import { canTrace, readTrace, trace } from "../../../../tests/support/trace.ts";
import type { CommitSample } from "../../core/telemetry/meter.ts";
import { type CommitMeter, createGroupCommit } from "./group-commit.ts";
import { openDatabase } from "./open-database.ts";

test("a writer that throws takes back its own change and nobody else's", async () => {
  const store = openTemporary();
  const add = (id: string) => store.write((transaction) => transaction.insertJob(createQueued(id), {}));
  const settled = await Promise.allSettled([
    add("a"),
    store.write((transaction) => {
      transaction.insertJob(createQueued("b"), {});
      transaction.setBlacklisted(1, true);
      throw new Error("changed my mind");
    }),
    add("a"),
    add("c"),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(settled[1]).toMatchObject({ reason: { message: "changed my mind" } });
  expect(store.loadQueuedJobs().map(({ id }) => String(id))).toEqual(["a", "c"]);
  expect(store.listBlacklist()).toEqual(new Set());
  expect(store.countJobs().queued).toBe(2);
});

test("a change sees those before it, and its value is answered", async () => {
  const store = openTemporary();
  const [, found] = await Promise.all([
    store.write((transaction) => transaction.insertJob(createQueued("a"), {})),
    store.write((transaction) => transaction.findJob(toId("a"))?.command),
  ]);
  expect(must(found)).toBe("echo a");
});

test("nothing is to be read before all of it is written", async () => {
  const store = openTemporary();
  const written = store.write((transaction) => transaction.insertJob(createQueued("a"), {}));
  expect(store.findJob(toId("a"))).toBeNull();
  must(await written);
  expect(store.findJob(toId("a"))).not.toBeNull();
});

test("the writers of one turn share one transaction", async () => {
  const { db, commits, countAsOutsider } = openCommits();
  const add = (index: number) =>
    commits.write(() => {
      db.query("insert into blacklist values (?)").run(index);
      return countAsOutsider();
    });
  const seen = await Promise.all(Array.from({ length: 50 }, (_, index) => add(index)));
  expect(seen.map(must)).toEqual(seen.map(() => 0));
  expect(countAsOutsider()).toBe(50);
});

const openCommits = (meter?: CommitMeter) => {
  const path = join(makeFolder(), "jobs.db");
  const db = must(openDatabase(path));
  db.exec("delete from settings");
  const outsider = new Database(path, { readonly: true });
  onTestFinished(() => {
    outsider.close();
    db.close();
  });
  const count = outsider.query<{ rows: number }, []>("select count(*) as rows from blacklist");
  return { db, commits: createGroupCommit(db, { meter }), countAsOutsider: () => count.get()?.rows };
};

test("a full disk refuses the whole group, leaves what was there, and is over when there is room", async () => {
  const { db, commits } = openCommits();
  const save = (name: string, bytes: number) =>
    commits.write(() => void db.query("insert into settings values (?, ?)").run(name, "x".repeat(bytes)));
  must(await save("before", 10));
  const pages = db.query<{ page_count: number }, []>("pragma page_count").get()?.page_count ?? 0;
  db.exec(`pragma max_page_count = ${pages + 4}`);
  const refused = await Promise.all([save("small", 10), save("large", 1_000_000), save("other", 10)]);
  for (const result of refused) {
    expect(result).toEqual({
      ok: false,
      error: {
        kind: "unavailable",
        message: "Nothing was written to the database: its disk is full (database or disk is full)",
      },
    });
  }
  expect(db.query("select name from settings").all()).toEqual([{ name: "before" }]);
  must(await save("small", 10));
  db.exec("pragma max_page_count = 1000000");
  must(await save("large", 1_000_000));
  expect(db.query("select name from settings order by name").all()).toHaveLength(3);
});

test("a database that became read-only refuses, and reads on", async () => {
  const { db, commits } = openCommits();
  db.exec("pragma query_only = 1");
  const refused = await commits.write(() => db.query("insert into blacklist values (1)").run());
  expect(refused.ok ? "" : refused.error.message).toContain("it is read-only");
  expect(db.query("select * from blacklist").all()).toEqual([]);
  db.exec("pragma query_only = 0");
  must(await commits.write(() => db.query("insert into blacklist values (1)").run()));
});

test("closing writes what is pending and refuses what comes later", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const pending = store.write((transaction) => transaction.insertJob(createQueued("a"), {}));
  await store.close();
  must(await pending);
  const late = await store.write((transaction) => transaction.insertJob(createQueued("b"), {}));
  expect(late).toEqual({
    ok: false,
    error: { kind: "unavailable", message: "The server is stopping: nothing was written" },
  });
  await store.close();
  expect(openIn(folder).countJobs().queued).toBe(1);
});

const readLines = async (stream: ReadableStream<Uint8Array>, isEnough: (lines: readonly string[]) => boolean) => {
  let text = "";
  for await (const chunk of stream) {
    text += new TextDecoder().decode(chunk);
    if (isEnough(text.split("\n").slice(0, -1))) break;
  }
  return text.split("\n").slice(0, -1);
};

test("what was answered is there after a SIGKILL", async () => {
  const folder = makeFolder();
  const answered: string[] = [];
  for (const round of [1, 2, 3, 4]) {
    const child = spawnWithStore(
      folder,
      `await Promise.all([0, 1, 2].map(async (writer) => {
        for (let n = 0; ; n++) {
          const id = "r${round}-" + writer + "-" + n;
          must(await store.write((transaction) => transaction.insertJob(createQueued(id), { TOKEN: id })));
          say(id);
        }
      }));`,
    );
    answered.push(
      ...(await readLines(child.stdout, (lines) => {
        if (lines.length >= round * 20) child.kill("SIGKILL");
        return lines.length >= round * 20;
      })),
    );
    await child.exited;
    const store = openIn(folder);
    const stored = new Set(store.loadQueuedJobs().map(({ id }) => String(id)));
    expect(answered.filter((id) => !stored.has(id))).toEqual([]);
    expect(store.countJobs().queued).toBe(stored.size);
    expect(store.loadEnvironment(toId(answered.at(-1) ?? ""))).toEqual({ TOKEN: answered.at(-1) ?? "" });
    await store.close();
  }
}, 30_000);

test.skipIf(!canTrace)("what is answered was written to the log, and that to the disk, before", async () => {
  const calls = join(makeFolder(), "calls");
  const child = spawnWithStore(
    makeFolder(),
    `for (const id of ["a", "b", "c"]) {
      must(await store.write((transaction) => transaction.insertJob(createQueued(id), {})));
      say("answered " + id);
    }
    await store.close();`,
    trace(calls, ["write", "pwrite64", "pwritev", "fsync", "fdatasync"]),
  );
  expect(await child.exited).toBe(0);
  const made = readTrace(calls);
  for (const id of ["a", "b", "c"]) {
    const before = made.slice(
      0,
      made.findIndex(({ words }) => words.includes(`"answered ${id}`)),
    );
    const ofLog = before.filter(({ words }) => words.includes("jobs.db-wal>")).map(({ name }) => name);
    expect(ofLog).toContainEqual(expect.stringMatching(/^pwrite/));
    expect(ofLog.at(-1)).toMatch(/sync$/);
  }
});

test("a file system without room refuses uploads and jobs, reads on, and nothing is lost", async () => {
  const folder = makeFolder();
  const first = openIn(folder);
  await addJobs(first, [createQueued("old")]);
  await first.close();
  const child = spawnWithStore(
    folder,
    `const { randomBytes } = process.getBuiltinModule("node:crypto");
    const writer = store.artifacts.begin("aaaa");
    let refused = null;
    for (let n = 0; n < 50 && refused === null; n++) {
      const appended = await writer.append(randomBytes(512 * 1024));
      if (!appended.ok) refused = appended.error;
    }
    await writer.abort();
    const big = await store.write((transaction) => transaction.insertJob({ ...createQueued("big"), command: "x".repeat(6e6) }, {}));
    say(JSON.stringify({ refused, big, jobs: store.loadQueuedJobs().map(({ id }) => id) }));
    await store.close();`,
    ["bash", "-c", 'trap "" XFSZ; ulimit -f 4096; exec "$@"', "bash"],
  );
  const output = JSON.parse(await new Response(child.stdout).text());
  expect(output).toMatchObject({
    refused: { kind: "unavailable" },
    big: { ok: false, error: { kind: "unavailable" } },
    jobs: ["old"],
  });
  expect(await child.exited).toBe(0);
  const store = openIn(folder);
  expect(store.loadQueuedJobs().map(({ id }) => String(id))).toEqual(["old"]);
  await upload(store, new Uint8Array(10), "aaaa");
}, 30_000);

test("each transaction is measured with the changes that shared it, and a failed one is counted", async () => {
  const samples: CommitSample[] = [];
  let failures = 0;
  const meter = {
    observeCommit: (sample: CommitSample) => void samples.push(sample),
    countFailedCommit: () => ++failures,
  };
  const { db, commits } = openCommits(meter);
  const insert = (index: number) => commits.write(() => db.query("insert into blacklist values (?)").run(index));
  await Promise.all([insert(1), insert(2), insert(3)]);
  await insert(4);
  expect(samples.map(({ changes }) => changes)).toEqual([3, 1]);
  for (const { totalS, syncS } of samples) expect(syncS > 0 && syncS < totalS && totalS < 5).toBe(true);
  db.exec("pragma query_only = 1");
  await insert(5);
  expect([samples.length, failures]).toEqual([2, 1]);
});
