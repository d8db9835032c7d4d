import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  createRunning,
  createStarting,
  makeFolder,
  must,
  openIn,
  openTemporary,
  toId,
} from "../../../../../tests/support/store.ts";
import { NO_OUTPUTS } from "../../../core/jobs/job.ts";

test.each([
  createQueued("a", { requestedGpuIdxs: [2, 11], numGpus: 2, jobrc: null, artifactId: null }),
  createQueued("a", {
    command: "echo \"$HOME\" 'x' `id` \\ \n\t é 漢字 🚀",
    priority: -9999,
    createdAt: 1_700_000_000,
  }),
  createStarting("a", { markedForKill: true, gpuIdxs: [] }),
  createRunning("a", { handle: { kind: "slurm", slurmJobId: 9 } }),
  createEnded("a"),
  createEnded("a", { status: "failed", handle: null, exitCode: 137, errorMessage: "Job was ended by SIGKILL" }),
  createEnded("a", { status: "killed", exitCode: null }),
])("a $status job is read as it was written, also after a restart", async (job) => {
  const folder = makeFolder();
  const store = openIn(folder);
  await addJobs(store, [job]);
  expect(store.findJob(toId("a"))).toStrictEqual(job);
  await store.close();
  expect(openIn(folder).findJob(toId("a"))).toStrictEqual(job);
});

test("a job that is not there is null, is not deleted twice and can't be saved", async () => {
  const store = openTemporary();
  expect(store.findJob(toId("a"))).toBeNull();
  must(await store.write((transaction) => transaction.deleteJob(toId("a"))));
  expect(store.write((transaction) => transaction.saveJob(createQueued("a")))).rejects.toThrow("Job a is not in");
});

test("an id is given to one job only", async () => {
  const store = openTemporary();
  await addJobs(store, [createQueued("a")]);
  const second = store.write((transaction) => transaction.insertJob(createQueued("a", { user: "eve" }), {}));
  expect(second).rejects.toThrow("UNIQUE");
  await second.catch(() => undefined);
  expect(store.findJob(toId("a"))?.user).toBe("ada");
});

test("a job started and queued again has no trace of the start", async () => {
  const store = openTemporary();
  await addJobs(store, [createStarting("a")]);
  must(await store.write((transaction) => transaction.saveJob(createQueued("a"))));
  expect(store.findJob(toId("a"))).toStrictEqual(createQueued("a"));
});

test("the newest time is that of the queued job that came last", async () => {
  const store = openTemporary();
  expect(store.readNewestQueued()).toBe(0);
  await addJobs(store, [createQueued("a", { createdAt: 30, priority: -5 }), createQueued("b", { createdAt: 20 })]);
  await addJobs(store, [createRunning("c", { createdAt: 90 })]);
  expect(store.readNewestQueued()).toBe(30);
});

test("the jobs of each status are counted through every change", async () => {
  const store = openTemporary();
  expect(store.countJobs()).toEqual({ queued: 0, starting: 0, running: 0, completed: 0, failed: 0, killed: 0 });
  await addJobs(store, [createQueued("a"), createQueued("b"), createStarting("c"), createRunning("d")]);
  await addJobs(store, [
    createEnded("e"),
    createEnded("f", { status: "failed" }),
    createEnded("g", { status: "killed" }),
  ]);
  expect(store.countJobs()).toEqual({ queued: 2, starting: 1, running: 1, completed: 1, failed: 1, killed: 1 });
  must(
    await store.write((transaction) => {
      transaction.deleteJob(toId("a"));
      transaction.saveJob(createStarting("b"));
      transaction.saveJob(createEnded("d"));
    }),
  );
  expect(store.countJobs()).toEqual({ queued: 0, starting: 2, running: 0, completed: 2, failed: 1, killed: 1 });
});

test("the queued and the active jobs are loaded in their orders", async () => {
  const store = openTemporary();
  await addJobs(store, [
    createQueued("low", { priority: -1 }),
    createQueued("late", { createdAt: 20 }),
    createQueued("early", { createdAt: 10 }),
    createQueued("high", { priority: 5, createdAt: 30 }),
    createRunning("old", { startedAt: 1 }),
    createStarting("new", { startedAt: 2 }),
    createEnded("done"),
  ]);
  expect(store.loadQueuedJobs().map(({ id }) => String(id))).toEqual(["high", "early", "late", "low"]);
  expect(store.loadActiveJobs().map(({ id }) => String(id))).toEqual(["new", "old"]);
});

test("the queued jobs that need a GPU and those that need none are loaded apart, the first of each", async () => {
  const store = openTemporary();
  await addJobs(store, [
    createQueued("cpu-low", { numGpus: 0, priority: -1 }),
    createQueued("cpu", { numGpus: 0 }),
    createQueued("gpu", { numGpus: 1 }),
    createQueued("gpu-high", { numGpus: 4, priority: 1 }),
    createStarting("started", { numGpus: 0 }),
  ]);
  const load = (needs: "cpu" | "gpu", limit?: number) =>
    store.loadQueuedJobs(limit === undefined ? { needs } : { needs, limit }).map(({ id }) => String(id));
  expect([load("cpu"), load("gpu")]).toEqual([
    ["cpu", "cpu-low"],
    ["gpu-high", "gpu"],
  ]);
  expect([load("cpu", 1), load("gpu", 1), load("gpu", 0)]).toEqual([["cpu"], ["gpu-high"], []]);
  must(await store.write((transaction) => transaction.saveJob(createQueued("cpu", { numGpus: 2 }))));
  expect([load("cpu"), load("gpu")]).toEqual([["cpu-low"], ["gpu-high", "cpu", "gpu"]]);
});

const ENV = { TOKEN: "s3cr3t-value-7f", EMPTY: "", 'we"ird': "grün\n🌱" };

const countInFiles = (folder: string, text: string): number =>
  ["jobs.db", "jobs.db-wal"].filter((name) => Bun.spawnSync(["grep", "-qaF", text, join(folder, name)]).exitCode === 0)
    .length;

test("an environment is given back while the job waits and runs, and all but its names is gone with its end", async () => {
  const store = openTemporary();
  must(await store.write((transaction) => transaction.insertJob(createQueued("a"), ENV)));
  expect(store.loadEnvironment(toId("a"))).toEqual(ENV);
  must(await store.write((transaction) => transaction.saveJob(createRunning("a"))));
  expect(store.loadEnvironment(toId("a"))).toEqual(ENV);
  must(await store.write((transaction) => transaction.saveJob(createEnded("a", { envNames: ["TOKEN"] }))));
  expect(store.loadEnvironment(toId("a"))).toEqual({});
  expect(store.findJob(toId("a"))?.envNames).toEqual(["TOKEN"]);
  expect(store.loadEnvironment(toId("none"))).toEqual({});
});

test("no value of an environment is in the files in clear, nor any part of it once the job has ended", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  must(await store.write((transaction) => transaction.insertJob(createQueued("a", { command: "plain-7f" }), ENV)));
  expect(countInFiles(folder, "plain-7f")).toBeGreaterThan(0);
  expect(countInFiles(folder, "s3cr3t-value-7f")).toBe(0);
  await store.close();
  const again = openIn(folder);
  expect(countInFiles(folder, "plain-7f")).toBeGreaterThan(0);
  expect(countInFiles(folder, "s3cr3t-value-7f")).toBe(0);
  expect(again.loadEnvironment(toId("a"))).toEqual(ENV);
});

test("the blacklist tells whether it changed", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const set = async (gpu: number, blacklisted: boolean) =>
    must(await store.write((transaction) => transaction.setBlacklisted(gpu, blacklisted)));
  expect([
    await set(3, true),
    await set(3, true),
    await set(1, true),
    await set(1, false),
    await set(1, false),
  ]).toEqual([true, false, true, true, false]);
  await store.close();
  expect(openIn(folder).listBlacklist()).toEqual(new Set([3]));
});

test("what speaks against a GPU is kept, the last that was said, until it is deleted", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const [old, other] = [0, 1].map((gpuIdx) => ({
    gpuIdx,
    uuid: gpuIdx === 0 ? null : "GPU-1",
    text: "Xid 79",
    at: 1.5,
  }));
  if (old === undefined || other === undefined) throw new Error("there are two");
  const newer = { ...old, text: "Xid 48", at: 2 };
  must(
    await store.write((transaction) => {
      for (const fault of [old, other, newer]) transaction.saveGpuFault(fault);
    }),
  );
  await store.close();
  const again = openIn(folder);
  expect(again.listGpuFaults()).toEqual([newer, other]);
  must(await again.write((transaction) => transaction.deleteGpuFault(0)));
  expect(again.listGpuFaults()).toEqual([other]);
});

test("the token's digest is kept, the last one wins", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  expect(store.readTokenDigest()).toBeNull();
  must(await store.saveTokenDigest("one"));
  must(await store.saveTokenDigest("two"));
  await store.close();
  expect(openIn(folder).readTokenDigest()).toBe("two");
});

test("of the jobs whose files are still to be kept, the first that ended is found, and none once they are", async () => {
  const store = openTemporary();
  const moving = { ...NO_OUTPUTS, state: "moving" } as const;
  await addJobs(store, [
    createEnded("kept", { completedAt: 1_700_000_003 }),
    createEnded("later", { completedAt: 1_700_000_005, outputs: moving }),
    createEnded("first", { completedAt: 1_700_000_004, status: "killed", outputs: moving }),
  ]);
  const settle = async (): Promise<string | undefined> => {
    const job = store.findMovingJob();
    if (job !== null)
      must(
        await store.write(({ saveJob }) => saveJob({ ...job, outputs: { ...job.outputs, state: "kept", files: 2 } })),
      );
    return job?.id;
  };
  expect([await settle(), await settle(), await settle()]).toEqual(["first", "later", undefined]);
  expect(store.findJob(toId("first"))).toMatchObject({ outputs: { state: "kept", files: 2 } });
});

test("a user's jobs whose files go soon are told, the first to go first, and counted; those that were fetched are not", async () => {
  const store = openTemporary();
  const soon = { ...NO_OUTPUTS, state: "kept", files: 1, bytes: 4, isWarned: true } as const;
  await addJobs(store, [
    createEnded("b", { outputs: { ...soon, keptUntil: 20 } }),
    createEnded("c", { status: "failed", outputs: { ...soon, state: "failed", keptUntil: 30 } }),
    createEnded("a", { status: "killed", outputs: { ...soon, keptUntil: 10.5 } }),
    createEnded("fetched", { outputs: { ...soon, keptUntil: 5, isPulled: true } }),
    createEnded("later", { outputs: { ...soon, keptUntil: 5, isWarned: false } }),
    createEnded("others", { user: "bob", outputs: { ...soon, keptUntil: 5 } }),
    createEnded("none"),
    createQueued("queued"),
  ]);
  const list = (user: string, limit: number) => {
    const { jobs, total } = store.listExpiring(user, limit);
    return [jobs.map(({ id }) => String(id)), total];
  };
  expect(list("ada", 9)).toEqual([["a", "b", "c"], 3]);
  expect(list("ada", 2)).toEqual([["a", "b"], 3]);
  expect([list("bob", 3), list("eve", 3)]).toEqual([
    [["others"], 1],
    [[], 0],
  ]);
});
