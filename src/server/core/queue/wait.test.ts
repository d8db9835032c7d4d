import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import type { JobId, QueuedJob } from "../jobs/job.ts";
import { isDiskLow } from "../machine/disk-room.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus } from "./gpu-selection.ts";
import { compareStartOrder, decideStarts } from "./queue-turns.ts";
import { type Blocker, type Candidate, explainWaits, type Wait, type WaitFacts } from "./wait.ts";
import { describeWait, type WaitNotes } from "./wait-text.ts";

const GPUS = 4;
const NOW = 10_000;

const gpu = fc.nat(GPUS - 1);

const need = fc.oneof(
  fc.integer({ min: 0, max: GPUS + 1 }).map((numGpus) => ({ numGpus, requestedGpuIdxs: [] as readonly number[] })),
  fc
    .uniqueArray(fc.nat(GPUS), { minLength: 1, maxLength: GPUS })
    .map((requestedGpuIdxs) => ({ numGpus: requestedGpuIdxs.length, requestedGpuIdxs })),
);

const queue = fc
  .array(
    fc.tuple(
      need,
      fc.record({
        priority: fc.integer({ min: -1, max: 1 }),
        ignoreBlacklist: fc.boolean(),
        createdAt: fc.integer({ min: NOW - 3600, max: NOW }),
      }),
    ),
    { maxLength: 8 },
  )
  .map((jobs) => jobs.map(([gpus, rest], index) => createQueued(`q${index}`, { ...gpus, ...rest })));

const active = fc
  .tuple(fc.uniqueArray(gpu, { maxLength: 2 }), fc.nat(3))
  .map(([onGpus, onCpu]) => [
    ...onGpus.map((index) => createRunning(`g${index}`, { gpuIdxs: [index] })),
    ...Array.from({ length: onCpu }, (_, index) => createRunning(`c${index}`, { gpuIdxs: [], numGpus: 0 })),
  ]);

const condition = fc.constantFrom<Partial<Gpu>>(
  { fault: "GPU is lost" },
  { unseenUse: "it is 98 % busy" },
  { doubt: "it is 40 % busy" },
);

const facts: fc.Arbitrary<WaitFacts> = fc.record({
  queued: queue,
  active,
  gpus: fc.option(
    fc
      .tuple(fc.uniqueArray(gpu, { maxLength: 2 }), fc.uniqueArray(gpu, { maxLength: 2 }), condition)
      .map(([foreign, odd, overrides]) =>
        Array.from({ length: GPUS }, (_, index) =>
          createGpu(index, foreign.includes(index) ? [7] : [], odd.includes(index) ? overrides : {}),
        ),
      ),
    { freq: 8 },
  ),
  blacklist: fc.uniqueArray(gpu, { maxLength: 2 }).map((indexes) => new Set(indexes)),
  maxCpuJobs: fc.nat(4),
  maxPassedOverS: fc.constant(1800),
  trouble: fc.constantFrom(null, null, null, null, "no terminal can be opened"),
  disk: fc.constantFrom(null, null, null, { freeBytes: 2, minBytes: 2 }, { freeBytes: 1, minBytes: 2 }),
});

const listStarts = (given: WaitFacts): ReadonlySet<JobId> => {
  const gpus = describeGpus(given.gpus ?? [], given.active, given.blacklist);
  return new Set(decideStarts(given, gpus, NOW).map(({ job }) => job.id));
};

const explainAll = (given: WaitFacts): readonly Wait[] =>
  Array.from(explainWaits(given, NOW, new Set(given.queued.map(({ id }) => id))));

const startsAlone = (given: WaitFacts, job: QueuedJob, change: Partial<WaitFacts> = {}): boolean => {
  const idle = (given.gpus ?? []).map((one) => ({ ...one, processes: [], fault: null, unseenUse: null }));
  return listStarts({ ...given, queued: [job], active: [], gpus: idle, maxCpuJobs: 1, ...change }).has(job.id);
};

type Idle = "starts" | "starts without blacklist" | "never starts";

const EXPECTED: Readonly<Record<Blocker["kind"] | "none", Idle | "unknown">> = {
  none: "starts",
  drained: "unknown",
  held: "unknown",
  begin: "unknown",
  retry: "unknown",
  after: "unknown",
  batch_limit: "unknown",
  user_limit: "unknown",
  disk_low: "unknown",
  machine: "unknown",
  gpus_taken: "starts",
  agent_limit: "unknown",
  cpu_limit: "starts",
  host_taken: "starts",
  blacklisted: "starts without blacklist",
  gpus_missing: "never starts",
  too_many_gpus: "never starts",
  unfit_gpus: "never starts",
  gpus_unreadable: "unknown",
};

const startsWhenIdle = (given: WaitFacts, job: QueuedJob): Idle | "unknown" => {
  if (isDiskLow(given.disk ?? null) || (given.trouble ?? null) !== null || (given.gpus === null && job.numGpus > 0))
    return "unknown";
  if (startsAlone(given, job)) return "starts";
  return startsAlone(given, job, { blacklist: new Set() }) ? "starts without blacklist" : "never starts";
};

const listCandidates = ({ blocker }: Wait): readonly Candidate[] =>
  blocker?.kind === "gpus_taken" ? blocker.candidates : [];

const isWell = (gpu: Gpu | undefined): boolean =>
  gpu !== undefined && gpu.processes.length === 0 && gpu.fault === null && gpu.unseenUse === null;

const isThere = (given: WaitFacts, job: QueuedJob, { index, obstacle }: Candidate): boolean => {
  switch (obstacle?.kind) {
    case undefined:
      return isWell(given.gpus?.[index]) && !given.active.some((one) => one.gpuIdxs.includes(index));
    case "job":
      return obstacle.job.gpuIdxs.includes(index);
    case "reserved":
      return obstacle.reserve.reservation.gpuIdxs.includes(index);
    case "fault":
      return given.gpus?.[index]?.fault === obstacle.fault;
    case "unseen_use":
      return given.gpus?.[index]?.unseenUse === obstacle.sign;
    case "processes":
      return given.gpus?.[index]?.processes === obstacle.pids;
    case "vram":
      return obstacle.roomMib < (job.vramMib ?? 0) && (given.gpus?.[index]?.fault ?? null) === null;
    case "blacklist":
      return given.blacklist.has(index) && !job.ignoreBlacklist;
    case "allocation":
      return obstacle.allocation.gpuIdxs.includes(index) && compareStartOrder(obstacle.allocation.job, job) < 0;
  }
};

describe("over any machine and queue", () => {
  test("a job that nothing keeps waiting starts in the next decision, and no other does", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const starts = listStarts(given);
        const waits = explainAll(given);
        expect(waits).toHaveLength(given.queued.length);
        for (const { job, blocker } of waits) expect([job.id, blocker === null]).toEqual([job.id, starts.has(job.id)]);
      }),
      { numRuns: 1000 },
    );
  });

  test("what keeps a job waiting is true of it: on an idle machine it starts, unless there it can't", () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const { job, blocker } of explainAll(given)) {
          expect([blocker?.kind, startsWhenIdle(given, job)]).toEqual([
            blocker?.kind,
            EXPECTED[blocker?.kind ?? "none"],
          ]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("fewer GPUs are free than a job needs, and each obstacle is there", () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const wait of explainAll(given)) {
          const candidates = listCandidates(wait);
          const free = candidates.filter(({ obstacle }) => obstacle === null);
          expect(free.length).toBeLessThan(Math.max(1, wait.job.numGpus));
          expect(candidates.filter((candidate) => !isThere(given, wait.job, candidate))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const READY: WaitFacts = {
  queued: [],
  active: [],
  gpus: [createGpu(0), createGpu(1)],
  blacklist: new Set(),
  maxCpuJobs: 2,
  maxPassedOverS: 1800,
};

const tell = (
  given: Partial<WaitFacts>,
  id = "a",
  { gpuError = null, gpuHint = null }: Partial<Pick<WaitNotes, "gpuError" | "gpuHint">> = {},
): string => {
  const [wait] = explainWaits({ ...READY, ...given }, NOW, new Set([id as JobId]));
  const owners = new Map([[7, { user: "bob", program: "python" }]]);
  const notes = { owners, gpuError, gpuHint, maxPassedOverS: 1800, listNeeds: () => [] };
  return wait === undefined ? "no such job" : describeWait(wait, notes);
};

const job = (id: string, overrides: Partial<QueuedJob> = {}): QueuedJob =>
  createQueued(id, { createdAt: NOW, ...overrides });

describe("it says with names and numbers", () => {
  test.each<[string, Partial<WaitFacts>]>([
    ["Nothing keeps it waiting: it starts now", { queued: [job("a")] }],
    ["No GPU job can start: the GPUs can't be read", { queued: [job("a")], gpus: null }],
    [
      "It asks for GPU 2 and 5, and the machine has GPU 0 and 1",
      { queued: [job("a", { requestedGpuIdxs: [5, 2, 0], numGpus: 3 })] },
    ],
    ["It needs 3 GPUs, and the machine has 2", { queued: [job("a", { numGpus: 3 })] }],
    [
      "It needs 2 GPUs, and may have 1: GPU 1 is blacklisted",
      { queued: [job("a", { numGpus: 2 })], blacklist: new Set([1]) },
    ],
    ["It needs 1 GPU, and may have 0: GPU 0 and 1 are blacklisted", { queued: [job("a")], blacklist: new Set([0, 1]) }],
    [
      "It needs 1 GPU, and none is free: GPU 0 runs job r of ann; GPU 1 is used by process 7 (python) of bob and process 8",
      { queued: [job("a")], active: [createRunning("r")], gpus: [createGpu(0), createGpu(1, [7, 8])] },
    ],
    [
      "It needs 2 GPUs, and only GPU 1 is free: GPU 0 is used by a process that the driver does not name",
      { queued: [job("a", { numGpus: 2 })], gpus: [createGpu(0, [0]), createGpu(1)] },
    ],
    [
      "It needs 1 GPU, and none is free: GPU 0 is out of order (GPU is lost); GPU 1 is in use by others (process not visible): it is 98 % busy",
      {
        queued: [job("a")],
        gpus: [createGpu(0, [], { fault: "GPU is lost" }), createGpu(1, [], { unseenUse: "it is 98 % busy" })],
      },
    ],
    [
      "It needs 2 GPUs, and only GPU 1 is free: GPU 0 is out of order (ERR!)",
      { queued: [job("a", { numGpus: 2 })], gpus: [createGpu(0, [], { fault: "ERR!" }), createGpu(1)] },
    ],
    [
      "It needs 1 GPU, and none is free: GPU 0 is blacklisted; GPU 1 goes to job b of ann, which starts before it",
      { queued: [job("a"), job("b", { priority: 1 })], blacklist: new Set([0]) },
    ],
    [
      "It needs 1 GPU, and none is free: GPU 0 runs job r of ann; GPU 1 is kept for job b of eve, which has waited for more than 30 min",
      {
        queued: [job("a"), job("b", { numGpus: 2, createdAt: NOW - 1801, user: "eve" })],
        active: [createRunning("r")],
      },
    ],
    [
      "It needs 2 GPUs, and only GPU 1 is free: GPU 0 runs job r of ann; what comes free is kept for it, as it has waited for more than 30 min",
      { queued: [job("a", { numGpus: 2, createdAt: NOW - 1801 })], active: [createRunning("r")] },
    ],
    [
      "max_cpu_jobs is 2: 1 CPU job runs and 1 starts before it",
      {
        queued: [job("a", { numGpus: 0 }), job("b", { numGpus: 0, priority: 1 })],
        active: [createRunning("r", { gpuIdxs: [], numGpus: 0 })],
      },
    ],
    [
      "Nothing starts: 1.23 GB are free on the disk of the server's folder, and min_free_gb is 5",
      { queued: [job("a")], disk: { freeBytes: 1_234_567_890, minBytes: 5e9 } },
    ],
    ["max_cpu_jobs is 0: 0 CPU jobs run", { queued: [job("a", { numGpus: 0 })], maxCpuJobs: 0 }],
  ])("%s", (text, given) => {
    expect(tell(given)).toBe(text);
  });

  test("why the GPUs can't be read", () => {
    expect(tell({ queued: [job("a")], gpus: null }, "a", { gpuError: "nvidia-smi failed" })).toBe(
      "No GPU job can start: nvidia-smi failed",
    );
  });

  test("what would make a start on GPUs quicker, of a job that needs some", () => {
    const notes = { gpuHint: "persistence mode is off" };
    expect(tell({ queued: [job("a")] }, "a", notes)).toBe(
      "Nothing keeps it waiting: it starts now (persistence mode is off)",
    );
    expect(tell({ queued: [job("a", { numGpus: 0 })] }, "a", notes)).toBe("Nothing keeps it waiting: it starts now");
  });

  test("which GPU that was asked for is not there, where it is the only one", () => {
    expect(tell({ queued: [job("a", { requestedGpuIdxs: [5], numGpus: 1 })] })).toBe(
      "It asks for GPU 5, and the machine has GPU 0 and 1",
    );
  });

  test("what place a job has, from the head of the queue", () => {
    const queued = [job("a"), job("b", { priority: 5 }), job("c")];
    const positions = explainAll({ ...READY, queued }).map((wait) => [wait.job.id as string, wait.position]);
    expect(positions).toEqual([
      ["b", 0],
      ["a", 1],
      ["c", 2],
    ]);
  });
});
