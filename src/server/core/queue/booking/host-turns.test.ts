import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning, freeze } from "../../../../../tests/support/samples.ts";
import type { ActiveJob, JobId, QueuedJob, RunningJob } from "../../jobs/job.ts";
import { describeGpus, listFreeGpus } from "../gpu-selection.ts";
import { compareStartOrder, decideStarts, findKeptFrom, type QueueFacts, type Start } from "../queue-turns.ts";
import { explainWaits } from "../wait.ts";
import { describeWait } from "../wait-text.ts";
import {
  bookHost,
  createHostRoom,
  createHostRules,
  findHostLack,
  type HostRules,
  readHostPart,
  sumHostParts,
} from "./host-part.ts";

const NOW = 10_000;
const LIMIT_S = 1800;
const OLD = NOW - LIMIT_S - 1;
const MACHINE = [createGpu(0), createGpu(1), createGpu(2), createGpu(3)];
const GIB = 1024;

const rulesOf = (cpus: number, memoryGb = 16, bookCpus = false): HostRules =>
  createHostRules({ cpus, memoryGb, bookCpus });

const createFacts = (change: Partial<QueueFacts>): QueueFacts => ({
  queued: [],
  active: [],
  maxCpuJobs: 100,
  maxPassedOverS: LIMIT_S,
  host: rulesOf(8),
  ...change,
});

const cpuJob = (id: string, change: Partial<QueuedJob> = {}): QueuedJob =>
  createQueued(id, { numGpus: 0, createdAt: NOW - 10, ...change });

const runs = (id: string, change: Partial<RunningJob> = {}): RunningJob =>
  createRunning(id, { numGpus: 0, gpuIdxs: [], ...change });

const decide = (facts: QueueFacts, gpus = MACHINE) =>
  decideStarts(facts, describeGpus(gpus, facts.active, new Set()), NOW);

const listStarts = (change: Partial<QueueFacts>, gpus = MACHINE): readonly string[] =>
  decide(createFacts(change), gpus).map(({ job }) => job.id);

describe("what is booked of the machine", () => {
  test("is one CPU and no memory for a job without GPUs, nothing for one with, unless it says so", () => {
    const room = createHostRoom(rulesOf(8), 4, []);
    expect(bookHost(room, { numGpus: 0 })).toEqual({ cpus: 1, memoryMib: 0 });
    expect(bookHost(room, { numGpus: 2 })).toEqual({ cpus: 0, memoryMib: 0 });
    for (const numGpus of [0, 2])
      expect(bookHost(room, { numGpus, cpus: 3, memoryMib: 7 })).toEqual({ cpus: 3, memoryMib: 7 });
  });

  test.each([
    [8, 4, 1, 2],
    [8, 4, 3, 6],
    [8, 3, 1, 2],
    [2, 4, 1, 1],
    [10, 4, 4, 10],
  ])("is with book_cpus of %d CPUs and %d GPUs for %d of these %d", (cpus, gpuCount, numGpus, booked) => {
    const room = createHostRoom(rulesOf(cpus, 1, true), gpuCount, []);
    expect(bookHost(room, { numGpus }).cpus).toBe(booked);
    expect(bookHost(room, { numGpus, cpus: 1 }).cpus).toBe(1);
    expect(bookHost(room, { numGpus: 0 }).cpus).toBe(1);
  });

  test("counts with book_cpus a shared GPU as its booked part", () => {
    const half = createQueued("a", { vramMib: 12_282 });
    const starts = decide(createFacts({ queued: [half], host: rulesOf(16, 1, true) }));
    expect(starts).toMatchObject([{ bookedCpus: 2 }]);
  });

  test("stays with a job until it is gone, whatever the settings become meanwhile", () => {
    const [start] = decide(createFacts({ queued: [createQueued("a")], host: rulesOf(8, 1, true) }));
    expect(start?.bookedCpus).toBe(2);
    expect(readHostPart(createRunning("a", { bookedCpus: 2 }))).toEqual({ cpus: 2, memoryMib: 0 });
    expect(readHostPart(createRunning("old"))).toEqual({ cpus: 0, memoryMib: 0 });
    expect(readHostPart(runs("old"))).toEqual({ cpus: 1, memoryMib: 0 });
    expect(decide(createFacts({ queued: [createQueued("a", { cpus: 2 })] }))).toMatchObject([{ gpuIdxs: [0] }]);
  });
});

describe("a job starts", () => {
  test("once its CPUs and its memory are free, and smaller ones go first meanwhile", () => {
    const active = [runs("r", { cpus: 6, memoryMib: 8 * GIB })];
    const wide = cpuJob("wide", { cpus: 3, createdAt: NOW - 20 });
    const large = cpuJob("large", { memoryMib: 9 * GIB, createdAt: NOW - 20 });
    expect(listStarts({ active, queued: [wide, large, cpuJob("small")] })).toEqual(["small"]);
    expect(listStarts({ queued: [wide, large, cpuJob("small")] })).toEqual(["large", "wide", "small"]);
  });

  test("within max_cpu_jobs beside its CPUs", () => {
    const queued = [cpuJob("a"), cpuJob("b", { createdAt: NOW })];
    expect(listStarts({ queued, maxCpuJobs: 1 })).toEqual(["a"]);
    expect(listStarts({ queued, host: rulesOf(1) })).toEqual(["a"]);
  });

  test("with GPUs only where its CPUs are free, too, in the order of all jobs", () => {
    const queued = [createQueued("gpu", { cpus: 8, createdAt: NOW - 20 }), cpuJob("cpu")];
    expect(listStarts({ queued })).toEqual(["gpu"]);
    expect(listStarts({ queued: queued.map((job) => ({ ...job, priority: job.numGpus === 0 ? 1 : 0 })) })).toEqual([
      "cpu",
    ]);
  });
});

describe("what is free is kept", () => {
  const active = [runs("r", { cpus: 4, memoryMib: 12 * GIB })];
  const small = cpuJob("small");

  test("for a job without GPUs that was passed over for too long, not before, and no more than it needs", () => {
    const wide = cpuJob("wide", { cpus: 8, createdAt: OLD });
    expect(listStarts({ active, queued: [wide, small] })).toEqual([]);
    expect(listStarts({ active, queued: [{ ...wide, createdAt: NOW - LIMIT_S + 1 }, small] })).toEqual(["small"]);
    const large = cpuJob("large", { memoryMib: 5 * GIB, createdAt: OLD });
    expect(listStarts({ active, queued: [large, small] })).toEqual(["small"]);
    expect(listStarts({ active, queued: [large, { ...small, cpus: 4 }] })).toEqual([]);
    expect(listStarts({ active, queued: [large, { ...small, memoryMib: 1 }] })).toEqual([]);
  });

  test("at once for one that no other may pass, and a place within max_cpu_jobs with it", () => {
    const unpassed = cpuJob("wide", { cpus: 8, noPassing: true, createdAt: NOW - 20 });
    expect(listStarts({ active, queued: [unpassed, small] })).toEqual([]);
    const large = cpuJob("large", { memoryMib: 5 * GIB, noPassing: true, createdAt: NOW - 20 });
    expect(listStarts({ active, queued: [large, small], maxCpuJobs: 2 })).toEqual([]);
  });

  test("for one with GPUs, of which it keeps those that it would start on, with their CPUs", () => {
    const old = createQueued("old", { cpus: 8, createdAt: OLD });
    const young = createQueued("young", { createdAt: NOW });
    expect(decide(createFacts({ active, queued: [old, young] }))).toMatchObject([
      { job: { id: "young" }, gpuIdxs: [1] },
    ]);
    const waits = createQueued("waits", { numGpus: 1, cpus: 2, createdAt: OLD });
    const all = [createRunning("g", { gpuIdxs: [0] })];
    expect(listStarts({ active: all, queued: [waits, cpuJob("six", { cpus: 7 })] }, [createGpu(0)])).toEqual([]);
    expect(listStarts({ active: all, queued: [waits, cpuJob("six", { cpus: 6 })] }, [createGpu(0)])).toEqual(["six"]);
  });

  test("of nothing that can never come free: more than the machine has, or GPUs that others use", () => {
    const wide = cpuJob("wide", { cpus: 9, createdAt: OLD });
    expect(listStarts({ active, queued: [wide, { ...small, cpus: 4 }] })).toEqual(["small"]);
    const foreign = createQueued("foreign", { cpus: 8, createdAt: OLD });
    expect(listStarts({ active, queued: [foreign, { ...small, cpus: 4 }] }, [createGpu(0, [7])])).toEqual(["small"]);
  });

  test("from the time that is told", () => {
    const wide = cpuJob("wide", { cpus: 8, createdAt: NOW - 100 });
    expect(
      findKeptFrom(createFacts({ active }), describeGpus(MACHINE, active, new Set()), { job: wide, now: NOW }),
    ).toBe(NOW - 100 + LIMIT_S);
    expect(findKeptFrom(createFacts({}), [], { job: { ...wide, cpus: 9 }, now: NOW })).toBeNull();
  });
});

const explain = (change: Partial<QueueFacts>, id: string, gpus = MACHINE): readonly [string | undefined, string] => {
  const facts = { ...createFacts(change), gpus, blacklist: new Set<number>() };
  const [wait] = explainWaits(facts, NOW, new Set([id as JobId]));
  const notes = { owners: new Map(), gpuError: null, gpuHint: null, maxPassedOverS: LIMIT_S, listNeeds: () => [] };
  const blocker = wait?.blocker ?? null;
  return [
    blocker !== null && "reason" in blocker ? blocker.reason : blocker?.kind,
    wait === undefined ? "" : describeWait(wait, notes),
  ];
};

describe("why a job waits", () => {
  test("names who has its CPUs or its memory, what is free and what is kept", () => {
    const active = [runs("r", { cpus: 5, user: "bob" }), createRunning("g", { cpus: 1, memoryMib: 10 * GIB })];
    const wide = cpuJob("wide", { cpus: 4 });
    expect(explain({ active, queued: [wide] }, "wide")).toEqual([
      "cpus",
      "It needs 4 CPUs, and 2 of 8 are free: job r of bob has 5; job g of ann has 1",
    ]);
    expect(explain({ active, queued: [{ ...wide, cpus: 1, memoryMib: 8 * GIB }] }, "wide")).toEqual([
      "memory",
      "It needs 8 GiB of memory, and 6 GiB of 16 GiB is free: job g of ann has 10 GiB",
    ]);
    const next = cpuJob("next", { cpus: 2, createdAt: NOW });
    expect(explain({ active, queued: [cpuJob("first", { createdAt: NOW - 9 }), next] }, "next")[1]).toBe(
      "It needs 2 CPUs, and 1 of 8 is free: job r of bob has 5; job g of ann has 1; job first of ann, which starts before it, gets 1",
    );
    const old = { ...wide, createdAt: OLD };
    expect(explain({ active, queued: [old, next] }, "next")[1]).toContain(
      "; 2 are kept for job wide of ann, which others have passed for long",
    );
    expect(explain({ active, queued: [old, next] }, "wide")[1]).toEndWith(
      "; what comes free is kept for it, as it has waited for more than 30 min",
    );
  });

  test("is for one with GPUs what of these is missing first", () => {
    const active = [createRunning("g", { cpus: 8 })];
    const job = createQueued("a", { cpus: 2, createdAt: NOW });
    expect(explain({ active, queued: [job] }, "a")[0]).toBe("cpus");
    expect(explain({ active, queued: [job] }, "a", [createGpu(0)])[0]).toBe("gpus_taken");
  });

  test("names the five with most, and counts the others", () => {
    const active = Array.from({ length: 8 }, (_, index) => runs(`r${index}`));
    expect(explain({ active, queued: [cpuJob("a")] }, "a")[1]).toEndWith("; job r4 of ann has 1; 3 more jobs have 3");
  });

  test("says what the machine has where that became too little, and how many jobs may run", () => {
    expect(explain({ queued: [cpuJob("a", { cpus: 9 })] }, "a")).toEqual([
      "cpus",
      "It needs 9 CPUs, and the machine has 8",
    ]);
    expect(explain({ queued: [cpuJob("a")], active: [runs("r")], maxCpuJobs: 1 }, "a")[0]).toBe("cpu_limit");
    const large = cpuJob("large", { memoryMib: 5 * GIB, noPassing: true, createdAt: NOW - 20 });
    const active = [runs("r", { memoryMib: 12 * GIB })];
    expect(explain({ queued: [large, cpuJob("a")], active, maxCpuJobs: 2 }, "a")).toEqual([
      "cpu_limit",
      "max_cpu_jobs is 2: 1 CPU job runs, and 1 CPU job that others have passed for long is next",
    ]);
  });
});

const asked = fc.record({
  numGpus: fc.integer({ min: 0, max: 3 }),
  cpus: fc.option(fc.integer({ min: 1, max: 5 })),
  memoryMib: fc.option(fc.integer({ min: 1, max: 9 })),
  vramMib: fc.constantFrom(null, null, 8000),
  priority: fc.integer({ min: 0, max: 1 }),
  createdAt: fc.constantFrom(OLD, NOW - 10, NOW),
});

type Asked = typeof asked extends fc.Arbitrary<infer One> ? One : never;

const toSpec = ({ vramMib, ...rest }: Asked): Partial<QueuedJob> => ({
  ...rest,
  vramMib: rest.numGpus === 0 ? null : vramMib,
});

const history = fc.array(fc.oneof(asked, fc.nat(9)), { maxLength: 25 });
const rules = fc
  .record({ cpus: fc.integer({ min: 1, max: 8 }), memoryGb: fc.constantFrom(0.005, 0.01), bookCpus: fc.boolean() })
  .map(createHostRules);

type State = Readonly<{ queued: readonly QueuedJob[]; active: readonly ActiveJob[] }>;

const toRunning = ({ job: { status: _queued, ...spec }, ...launch }: Start): RunningJob =>
  createRunning(spec.id, { ...spec, ...launch });

const expectWithin = (active: readonly ActiveJob[], { whole }: HostRules): void =>
  expect(findHostLack(sumHostParts(active.map(readHostPart)), whole)).toBeNull();

const expectNoIdle = ({ queued, active }: State, host: HostRules, started: ReadonlySet<string>): void => {
  const all = describeGpus(MACHINE, active, new Set());
  const room = createHostRoom(host, MACHINE.length, active);
  const first = queued.toSorted(compareStartOrder)[0];
  if (first === undefined || started.has(first.id)) return;
  const part = bookHost(room, {
    ...first,
    bookedGpus: first.vramMib ? (first.numGpus * 8000) / 24_564 : first.numGpus,
  });
  const isFree = first.numGpus === 0 || listFreeGpus(first, all).length >= first.numGpus;
  expect(isFree && findHostLack(part, room.free) === null).toBe(false);
};

const act = (state: State, step: Asked | number, host: HostRules): State => {
  if (typeof step === "number") return { ...state, active: state.active.filter((_, index) => index !== step) };
  const job = createQueued(`j${state.queued.length}-${state.active.length}-${JSON.stringify(step)}`, toSpec(step));
  const facts = freeze(createFacts({ ...state, queued: [...state.queued, job], maxCpuJobs: 3, host }));
  const starts = decide(facts);
  const started = new Set<string>(starts.map(({ job: { id } }) => id));
  expectNoIdle(facts, host, started);
  const active = [...facts.active, ...starts.map(toRunning)];
  expectWithin(active, host);
  return { queued: facts.queued.filter(({ id }) => !started.has(id)), active };
};

test("never more is booked than the machine has, and the first job starts where it could, over any history", () => {
  fc.assert(
    fc.property(history, rules, (steps, host) => {
      steps.reduce<State>((state, step) => act(state, step, host), { queued: [], active: [] });
    }),
    { numRuns: 150 },
  );
});

test("a job that was passed over for too long starts once those that run have ended, whatever comes behind it", () => {
  const large = fc.record({
    numGpus: fc.nat(4),
    cpus: fc.integer({ min: 1, max: 8 }),
    memoryMib: fc.integer({ min: 1, max: 16 * GIB }),
  });
  const others = fc.array(
    fc.record({ numGpus: fc.nat(1), cpus: fc.integer({ min: 1, max: 3 }), memoryMib: fc.nat(4 * GIB) }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(large, others, others, (spec, before, behind) => {
      const wide = createQueued("wide", { ...spec, createdAt: OLD });
      const begin = (starts: readonly Start[]): readonly RunningJob[] => starts.map(toRunning);
      let early = begin(decide(createFacts({ queued: before.map((one, index) => createQueued(`b${index}`, one)) })));
      let late: readonly RunningJob[] = [];
      let queued = [wide, ...behind.map((one, index) => createQueued(`n${index}`, { ...one, createdAt: NOW }))];
      while (early.length > 0 && queued.includes(wide)) {
        const starts = decide(createFacts({ active: [...early, ...late], queued }));
        late = [...late, ...begin(starts)];
        queued = queued.filter(({ id }) => !starts.some(({ job }) => job.id === id));
        early = early.slice(1);
      }
      const ids = decide(createFacts({ active: late, queued })).map(({ job }) => job.id);
      expect([...late.map(({ id }) => id), ...ids]).toContain(wide.id);
    }),
    { numRuns: 100 },
  );
});
