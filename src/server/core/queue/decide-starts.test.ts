import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning, freeze, HANDLE } from "../../../../tests/support/samples.ts";
import { type ActiveJob, isActive, type Job, type JobId, type QueuedJob } from "../jobs/job.ts";
import { applyJobEvent, type JobEvent, TRANSITIONS } from "../jobs/job-transition.ts";
import type { Observation } from "../running/executor.ts";
import { decideEndings, type Ending, type Kill } from "../running/job-ending.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus, listComingGpus, listFreeGpus } from "./gpu-selection.ts";
import { compareStartOrder, decideStarts, type QueueFacts, type Start } from "./queue-turns.ts";

const GPUS = 4;
const MAX_CPU_JOBS = 2;
const MAX_PASSED_OVER_S = 1800;

type Command =
  | Readonly<{ kind: "submit"; spec: Partial<QueuedJob> }>
  | Readonly<{ kind: "blacklist" | "foreign"; gpu: number }>
  | Readonly<{ kind: "exit" | "leave" | "lose" | "mark"; pick: number }>
  | Readonly<{ kind: "step"; seconds: number }>
  | Readonly<{ kind: "lose sight" }>;

type World = Readonly<{
  jobs: readonly Job[];
  now: number;
  blacklist: ReadonlySet<number>;
  foreign: ReadonlySet<number>;
  canReadGpus: boolean;
  observations: ReadonlyMap<JobId, Observation>;
  killedSince: ReadonlyMap<JobId, number>;
}>;

const EMPTY: World = {
  jobs: [],
  now: 1000,
  blacklist: new Set(),
  foreign: new Set(),
  canReadGpus: true,
  observations: new Map(),
  killedSince: new Map(),
};

const gpu = fc.nat(GPUS - 1);
const pick = fc.nat(9);

const need = fc.oneof(
  fc.integer({ min: 0, max: GPUS }).map((numGpus) => ({ numGpus, requestedGpuIdxs: [] as readonly number[] })),
  fc
    .uniqueArray(gpu, { minLength: 1, maxLength: GPUS })
    .map((requestedGpuIdxs) => ({ numGpus: requestedGpuIdxs.length, requestedGpuIdxs })),
);

const submit: fc.Arbitrary<Command> = fc
  .tuple(need, fc.record({ priority: fc.integer({ min: -1, max: 2 }), ignoreBlacklist: fc.boolean() }))
  .map(([gpus, rest]) => ({ kind: "submit", spec: { ...gpus, ...rest } }));

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: submit },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("blacklist", "foreign"), gpu }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("exit", "leave", "lose", "mark"), pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("step"), seconds: fc.integer({ min: 1, max: 1500 }) }) },
  { weight: 1, arbitrary: fc.constant<Command>({ kind: "lose sight" }) },
);

const toggle = (members: ReadonlySet<number>, member: number): ReadonlySet<number> =>
  members.has(member) ? new Set([...members].filter((one) => one !== member)) : new Set([...members, member]);

const listActive = (world: World): readonly ActiveJob[] => world.jobs.filter(isActive);

const listQueued = (world: World): readonly QueuedJob[] => world.jobs.filter((job) => job.status === "queued");

const applyTo = (world: World, id: JobId, event: JobEvent): World => {
  const jobs = world.jobs.map((job) => {
    if (job.id !== id) return job;
    const next = applyJobEvent(freeze(job), freeze(event));
    if (!next.ok) throw new Error(next.error.message);
    expect(TRANSITIONS[job.status][event.kind] ?? []).toContain(next.value.status);
    return next.value;
  });
  return { ...world, jobs };
};

const observe = (world: World, id: JobId, seen: Observation): World => ({
  ...world,
  observations: new Map([...world.observations, [id, seen]]),
});

const actOnJob = (world: World, kind: "exit" | "leave" | "lose" | "mark", which: number): World => {
  const active = listActive(world);
  const job = active[which % Math.max(1, active.length)];
  if (job === undefined) return world;
  if (kind === "mark") return applyTo(world, job.id, { kind: "mark_for_kill" });
  if (kind === "lose") return observe(world, job.id, { kind: "lost", reason: "Lost: the machine restarted" });
  return observe(world, job.id, { kind: "exited", exitCode: which % 3, processesLeft: kind === "leave" ? 1 : 0 });
};

const perform = (world: World, one: Command, position: number): World => {
  switch (one.kind) {
    case "submit": {
      const job = createQueued(`j${position}`, { ...one.spec, createdAt: world.now });
      return { ...world, jobs: [...world.jobs, job] };
    }
    case "blacklist":
      return { ...world, blacklist: toggle(world.blacklist, one.gpu) };
    case "foreign":
      return { ...world, foreign: toggle(world.foreign, one.gpu) };
    case "step":
      return { ...world, now: world.now + one.seconds };
    case "lose sight":
      return { ...world, canReadGpus: !world.canReadGpus };
    default:
      return actOnJob(world, one.kind, one.pick);
  }
};

type Scene = QueueFacts &
  Readonly<{
    observations: ReadonlyMap<JobId, Observation>;
    killedSince: ReadonlyMap<JobId, number>;
    gpus: readonly Gpu[] | null;
    blacklist: ReadonlySet<number>;
  }>;

type Decided = Readonly<{ starts: readonly Start[]; kills: readonly Kill[]; endings: readonly Ending[] }>;

const decideAll = (scene: Scene, now: number): Decided => ({
  ...decideEndings(scene.active, scene.observations, { now, killedSince: scene.killedSince }),
  starts: decideStarts(scene, describeGpus(scene.gpus ?? [], scene.active, scene.blacklist), now),
});

const toScene = (world: World): Scene => ({
  queued: listQueued(world),
  active: listActive(world),
  observations: new Map(
    listActive(world).map((job) => [job.id, world.observations.get(job.id) ?? { kind: "alive", handle: HANDLE }]),
  ),
  killedSince: world.killedSince,
  gpus: world.canReadGpus
    ? Array.from({ length: GPUS }, (_, index) => createGpu(index, world.foreign.has(index) ? [4242] : []))
    : null,
  blacklist: world.blacklist,
  maxCpuJobs: MAX_CPU_JOBS,
  maxPassedOverS: MAX_PASSED_OVER_S,
});

const carryOutStart = (world: World, { job: { id }, gpuIdxs }: Start): World => {
  const starting = applyTo(world, id, { kind: "start", at: world.now, gpuIdxs, dir: "/d" });
  return applyTo(starting, id, { kind: "launch", handle: HANDLE });
};

const carryOutKill = (world: World, { job: { id }, force }: Kill): World => {
  const killedSince = new Map([[id, world.now] as const, ...world.killedSince]);
  return force ? observe({ ...world, killedSince }, id, { kind: "lost", reason: "" }) : { ...world, killedSince };
};

const carryOutEnding = (world: World, ending: Ending): World => {
  if (ending.kind !== "finish") throw new Error(`${ending.kind} is not decided in a tick`);
  return applyTo(world, ending.job.id, ending.event);
};

const carryOut = (world: World, { starts, kills, endings }: Decided): World =>
  starts.reduce(carryOutStart, kills.reduce(carryOutKill, endings.reduce(carryOutEnding, world)));

const expectLegalStarts = (world: World, starts: readonly Start[]): void => {
  const held = listActive(world).flatMap((job) => job.gpuIdxs);
  const given = starts.flatMap((start) => start.gpuIdxs);
  expect(new Set([...held, ...given]).size).toBe(held.length + given.length);
  for (const { job, gpuIdxs } of starts) {
    expect(gpuIdxs).toHaveLength(job.numGpus);
    for (const index of gpuIdxs) {
      expect(index).toBeLessThan(GPUS);
      expect(world.foreign.has(index)).toBe(false);
      expect(world.blacklist.has(index) && !job.ignoreBlacklist).toBe(false);
      if (job.requestedGpuIdxs.length > 0) expect(job.requestedGpuIdxs).toContain(index);
    }
  }
};

const expectFairCpuStarts = (scene: Scene, starts: readonly Start[]): void => {
  const waiting = scene.queued.filter((job) => job.numGpus === 0).toSorted(compareStartOrder);
  const slots = MAX_CPU_JOBS - scene.active.filter((job) => job.gpuIdxs.length === 0).length;
  const started = starts.filter(({ gpuIdxs }) => gpuIdxs.length === 0).map(({ job }) => job.id);
  expect(started).toEqual(waiting.slice(0, slots).map(({ id }) => id));
};

const expectFairGpuStarts = (scene: Scene, starts: readonly Start[], now: number): void => {
  const all = describeGpus(scene.gpus ?? [], scene.active, scene.blacklist);
  const given = new Map(starts.map((start) => [start.job.id, start.gpuIdxs]));
  let gone: readonly number[] = [];
  for (const job of scene.queued.filter(({ numGpus }) => numGpus > 0).toSorted(compareStartOrder)) {
    const gpus = given.get(job.id);
    const free = listFreeGpus(job, all).filter(({ index }) => !gone.includes(index));
    expect(gpus !== undefined).toBe(free.length >= job.numGpus);
    const mayHold = now - job.createdAt > MAX_PASSED_OVER_S && listComingGpus(job, all).length >= job.numGpus;
    const held = mayHold ? free.map(({ index }) => index) : [];
    gone = [...gone, ...(gpus ?? held)];
  }
};

const tick = (world: World): World => {
  const scene = freeze(toScene(world));
  const before = structuredClone(scene);
  const decided = decideAll(scene, world.now);
  expect(scene).toEqual(before);
  expect(decideAll(before, world.now)).toEqual(decided);
  const { starts } = decided;
  expectLegalStarts(world, starts);
  expectFairCpuStarts(scene, starts);
  expectFairGpuStarts(scene, starts, world.now);
  const next = carryOut(world, decided);
  const owned = listActive(next).flatMap((job) => job.gpuIdxs);
  expect(new Set(owned).size).toBe(owned.length);
  expect(listActive(next).filter((job) => job.gpuIdxs.length === 0).length).toBeLessThanOrEqual(MAX_CPU_JOBS);
  return next;
};

const LONGEST_S = 900;

const endDue = (world: World): World =>
  listActive(world)
    .filter((job) => job.startedAt + job.priority <= world.now)
    .reduce((next, job) => observe(next, job.id, { kind: "exited", exitCode: 0, processesLeft: 0 }), world);

const forgetEnded = (world: World): World => ({
  ...world,
  jobs: world.jobs.filter((job) => job.status === "queued" || isActive(job)),
});

const isWaiting = (world: World, id: string): boolean => listQueued(world).some((job) => job.id === id);

describe("what is decided, over any history", () => {
  test("gives each GPU to one job at most, only free ones, in start order, and is a function of its input", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40, size: "max" }), (commands) => {
        commands.reduce((world, one, position) => tick(perform(world, one, position)), EMPTY);
      }),
      { numRuns: 300 },
    );
  });

  test("a job that waits longer than the limit gets its GPUs, however many smaller ones of its rank keep coming", () => {
    const runtimes = fc.infiniteStream(fc.integer({ min: 10, max: LONGEST_S }));
    fc.assert(
      fc.property(runtimes, fc.integer({ min: 1, max: 3 }), (runtime, numGpus) => {
        const large = createQueued("large", { numGpus: GPUS, createdAt: 0, priority: LONGEST_S });
        const first = createQueued("first", { createdAt: -1, priority: LONGEST_S });
        let world = tick({ ...EMPTY, now: 0, jobs: [first, large] });
        while (isWaiting(world, "large")) {
          expect(world.now).toBeLessThanOrEqual(MAX_PASSED_OVER_S + LONGEST_S + 100);
          const small = createQueued(`s${world.now}`, {
            numGpus,
            createdAt: world.now,
            priority: runtime.next().value,
          });
          world = forgetEnded(tick(endDue({ ...world, now: world.now + 50, jobs: [...world.jobs, small] })));
        }
        expect(world.now).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });
});

const decide = (overrides: Partial<Scene>, now = 1000): Decided => decideAll({ ...toScene(EMPTY), ...overrides }, now);

const describeStarts = ({ starts }: Decided): readonly string[] =>
  starts.map(({ job, gpuIdxs }) => `${job.id} on ${gpuIdxs.join(",")}`);

describe("decideStarts", () => {
  test("every job that can start starts in one tick", () => {
    const queued = [
      createQueued("a", { numGpus: 1 }),
      createQueued("b", { numGpus: 0 }),
      createQueued("c", { numGpus: 2, priority: 5 }),
      createQueued("d", { numGpus: 1, createdAt: 101 }),
      createQueued("e", { numGpus: 0, createdAt: 102 }),
      createQueued("f", { numGpus: 0, createdAt: 103 }),
    ];
    expect(describeStarts(decide({ queued }))).toEqual(["c on 0,1", "a on 2", "b on ", "d on 3", "e on "]);
  });

  test("a job that can't start yet does not block a smaller one behind it", () => {
    const active = [createRunning("r", { gpuIdxs: [0, 1, 2] })];
    const queued = [createQueued("large", { numGpus: 2, priority: 9, createdAt: 900 }), createQueued("small")];
    expect(describeStarts(decide({ active, queued }))).toEqual(["small on 3"]);
  });

  test("no GPU is held for a job that needs none, however long it waits for others like it to end", () => {
    const queued = [createQueued("cpu", { numGpus: 0, createdAt: -100_000 }), createQueued("gpu", { createdAt: 900 })];
    expect(describeStarts(decide({ queued, maxCpuJobs: 0 }))).toEqual(["gpu on 0"]);
  });

  test("GPUs are held for a job once it waits for longer than the limit, not before", () => {
    const active = [createRunning("r", { gpuIdxs: [0, 1, 2] })];
    const queued = [createQueued("large", { numGpus: 2, createdAt: 100 }), createQueued("small", { createdAt: 101 })];
    expect(describeStarts(decide({ active, queued }, 100 + MAX_PASSED_OVER_S))).toEqual(["small on 3"]);
    expect(describeStarts(decide({ active, queued }, 101 + MAX_PASSED_OVER_S))).toEqual([]);
  });

  test("no GPU is held for a job that the machine can't satisfy, nor one that the job may not have", () => {
    const active = [createRunning("r", { gpuIdxs: [0] })];
    const old = { createdAt: 0, priority: 9 };
    const small = createQueued("small", { createdAt: 9000 });
    const impossible = createQueued("large", { ...old, numGpus: GPUS });
    const elsewhere = createQueued("large", { ...old, numGpus: 2, requestedGpuIdxs: [0, 1] });
    const start = (job: QueuedJob, blacklist: ReadonlySet<number>) =>
      describeStarts(decide({ active, blacklist, queued: [job, small] }, 9001));
    expect(start(impossible, new Set([3]))).toEqual(["small on 1"]);
    expect(start(elsewhere, new Set())).toEqual(["small on 2"]);
  });

  test("CPU jobs start while the GPUs can't be read; GPU jobs wait", () => {
    const queued = [createQueued("gpu", { priority: 5 }), createQueued("cpu", { numGpus: 0 })];
    expect(describeStarts(decide({ queued, gpus: null }))).toEqual(["cpu on "]);
  });

  test("endings are decided beside starts; the GPUs of a job that ends are free in the next tick", () => {
    const job = createRunning("r", { gpuIdxs: [0, 1, 2, 3] });
    const observations = new Map<JobId, Observation>([[job.id, { kind: "exited", exitCode: 0, processesLeft: 0 }]]);
    const { endings, starts } = decide({
      active: [job],
      observations,
      queued: [createQueued("a"), createQueued("c", { numGpus: 0 })],
    });
    expect(endings.map(({ kind, job: { id } }) => `${kind} ${id}`)).toEqual(["finish r"]);
    expect(starts.map(({ job: { id } }) => `start ${id}`)).toEqual(["start c"]);
  });
});
