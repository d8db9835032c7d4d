import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  addJobs,
  createEnded,
  createQueued,
  createRunning,
  createStarting,
  listAll,
  openTemporary,
} from "../../../../../tests/support/store.ts";
import { type EndedJob, isEnded, type Job } from "../../../core/jobs/job.ts";
import { compareStartOrder } from "../../../core/queue/queue-turns.ts";
import type { JobFilter, Store } from "../../../core/store.ts";

const list = async (store: Store, filter: Partial<JobFilter> = {}): Promise<readonly string[]> =>
  (await listAll(store, filter)).map(({ id }) => String(id));

const JOBS = [
  createEnded("e1", { completedAt: 10, gpuIdxs: [1], user: "bob" }),
  createEnded("e2", { completedAt: 30, status: "failed", gpuIdxs: [11] }),
  createEnded("e3", { completedAt: 20, status: "killed", command: "python train.py" }),
  createQueued("q1", { createdAt: 2, requestedGpuIdxs: [1] }),
  createQueued("q2", { createdAt: 1, user: "bob", command: "python eval.py" }),
  createQueued("q3", { createdAt: 9, priority: 7 }),
  createRunning("r1", { startedAt: 5, gpuIdxs: [0, 1], requestedGpuIdxs: [3], user: "bob" }),
  createStarting("r2", { startedAt: 6, gpuIdxs: [2] }),
];

const openFilled = async (): Promise<Store> => {
  const store = openTemporary();
  await addJobs(store, JOBS);
  return store;
};

test("running jobs come first, then queued, then ended, each in its order", async () => {
  const store = await openFilled();
  const all = ["r2", "r1", "q3", "q2", "q1", "e2", "e3", "e1"];
  expect(await list(store)).toEqual(all);
  expect(await list(store, { statuses: ["completed", "killed", "queued", "failed", "running"] })).toEqual(all);
});

test("a status selects, running with those that are starting", async () => {
  const store = await openFilled();
  expect(await list(store, { statuses: ["running"] })).toEqual(["r2", "r1"]);
  expect(await list(store, { statuses: ["queued"] })).toEqual(["q3", "q2", "q1"]);
  expect(await list(store, { statuses: ["failed"] })).toEqual(["e2"]);
  expect(await list(store, { statuses: ["completed", "killed"] })).toEqual(["e3", "e1"]);
  expect(await list(store, { statuses: ["killed", "running"] })).toEqual(["r2", "r1", "e3"]);
  expect(await list(store, { statuses: [] })).toEqual([]);
});

test("a GPU selects those that got it and the waiting ones that asked for it, and no longer number with its digits", async () => {
  const store = await openFilled();
  expect(await list(store, { gpuIndex: 1 })).toEqual(["r1", "q1", "e1"]);
  expect(await list(store, { gpuIndex: 3 })).toEqual([]);
  expect(await list(store, { gpuIndex: 11 })).toEqual(["e2"]);
});

test("the time of the end and the exit code select among ended jobs, at their edges too, and leave out all others", async () => {
  const store = await openFilled();
  await addJobs(store, [createEnded("e4", { completedAt: 40, status: "failed", exitCode: 137 })]);
  expect(await list(store, { endedSince: 20 })).toEqual(["e4", "e2", "e3"]);
  expect(await list(store, { endedUntil: 20 })).toEqual(["e3", "e1"]);
  expect(await list(store, { endedSince: 15, endedUntil: 30, statuses: ["failed", "running"] })).toEqual(["e2"]);
  expect(await list(store, { exitCode: 137 })).toEqual(["e4"]);
  expect(await list(store, { exitCode: 137, endedUntil: 39 })).toEqual([]);
  expect(await list(store, { exitCode: 137, matchesText: () => false })).toEqual([]);
  expect(await list(store, { endedSince: 0, user: "bob", gpuIndex: 1 })).toEqual(["e1"]);
});

test("user and command select", async () => {
  const store = await openFilled();
  expect(await list(store, { user: "bob" })).toEqual(["r1", "q2", "e1"]);
  expect(await list(store, { user: "' or 1" })).toEqual([]);
  const matchesText = (command: string): boolean => command.startsWith("python");
  expect(await list(store, { matchesText })).toEqual(["q2", "e3"]);
  expect(await list(store, { matchesText, user: "bob" })).toEqual(["q2"]);
  expect(await list(store, { matchesText, offset: 1 })).toEqual(["e3"]);
});

test("a command is looked at only until the page is full", async () => {
  const store = await openFilled();
  const seen: string[] = [];
  const matchesText = (command: string): boolean => seen.push(command) > 0;
  expect(await list(store, { matchesText, offset: 1, limit: 2 })).toEqual(["r1", "q3"]);
  expect(seen.length).toBe(3);
  expect(await list(store, { matchesText, limit: 0 })).toEqual([]);
});

const jobArbitrary = fc.record({
  kind: fc.constantFrom("queued", "starting", "running", "completed", "failed", "killed"),
  time: fc.integer({ min: 0, max: 3 }),
  priority: fc.integer({ min: -1, max: 1 }),
  user: fc.constantFrom("ada", "bob"),
  gpus: fc.subarray([0, 1, 11]),
  command: fc.constantFrom("x", "y"),
});

const filterArbitrary: fc.Arbitrary<JobFilter> = fc
  .record(
    {
      statuses: fc.subarray(["queued", "running", "completed", "failed", "killed"] as const),
      gpuIndex: fc.constantFrom(0, 1),
      user: fc.constantFrom("ada", "bob"),
      matchesText: fc.constant((command: string) => command === "x"),
      limit: fc.integer({ min: 0, max: 12 }),
      offset: fc.integer({ min: 0, max: 12 }),
    },
    { requiredKeys: ["limit", "offset"] },
  )
  .map((filter) => filter);

type Draft = typeof jobArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const build = (draft: Draft, index: number): ReturnType<typeof createQueued> | ReturnType<typeof createEnded> | Job => {
  const id = `j${String(index).padStart(3, "0")}`;
  const spec = { priority: draft.priority, user: draft.user, command: draft.command, createdAt: draft.time };
  const launch = { ...spec, gpuIdxs: draft.gpus, startedAt: draft.time };
  if (draft.kind === "queued") return createQueued(id, { ...spec, requestedGpuIdxs: draft.gpus });
  if (draft.kind === "starting") return createStarting(id, launch);
  if (draft.kind === "running") return createRunning(id, launch);
  const status = draft.kind as EndedJob["status"];
  return createEnded(id, { ...launch, status, completedAt: draft.time });
};

const rank = (job: Job): number => (job.status === "queued" ? 1 : Number(isEnded(job)) * 2);

const compare = (a: Job, b: Job): number => {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a.status === "queued" && b.status === "queued") return compareStartOrder(a, b);
  const time = (job: Job): number => (isEnded(job) ? job.completedAt : job.status === "queued" ? 0 : job.startedAt);
  return time(b) - time(a) || (a.id < b.id ? 1 : -1);
};

const selectAsTold = (jobs: readonly Job[], filter: JobFilter): readonly string[] =>
  jobs
    .filter((job) => {
      const gpus = job.status === "queued" ? job.requestedGpuIdxs : job.gpuIdxs;
      const status = job.status === "starting" ? "running" : job.status;
      return (
        (filter.statuses?.includes(status) ?? true) &&
        (filter.user === undefined || job.user === filter.user) &&
        (filter.gpuIndex === undefined || gpus.includes(filter.gpuIndex)) &&
        (filter.matchesText?.(job.command) ?? true)
      );
    })
    .toSorted(compare)
    .slice(filter.offset, filter.offset + filter.limit)
    .map(({ id }) => String(id));

test("whatever the jobs and the filter, the page is the one that sorting and cutting them gives", async () => {
  const drafts = fc.sample(jobArbitrary, { numRuns: 40, seed: 20 });
  const jobs = drafts.map(build);
  const store = openTemporary();
  await addJobs(store, jobs);
  await fc.assert(
    fc.asyncProperty(filterArbitrary, fc.integer({ min: 0, max: 40 }), async (filter, offset) => {
      const wanted = { ...filter, offset };
      expect(await list(store, wanted)).toEqual([...selectAsTold(jobs, wanted)]);
    }),
    { numRuns: 2000 },
  );
});
