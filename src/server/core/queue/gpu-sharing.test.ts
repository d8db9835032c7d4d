import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import type { ActiveJob, JobId, QueuedJob } from "../jobs/job.ts";
import { bookGpus, countBooked } from "./booked-gpus.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus, selectGpus } from "./gpu-selection.ts";
import { nameNeed, parseNeed } from "./needs/need-name.ts";
import { createCountStarts, limitStarts } from "./queue-head.ts";
import { compareStartOrder, decideStarts, type QueueFacts } from "./queue-turns.ts";
import { createLimitsOf, NO_LIMITS } from "./user-limits.ts";
import { explainWaits, type Wait } from "./wait.ts";

const NOW = 10_000;
const LIMIT_S = 1000;
const GIB = 1024;

type Machine = QueueFacts & Readonly<{ gpus: readonly Gpu[]; blacklist: ReadonlySet<number> }>;

const size = fc.constantFrom(1, 2, 4, 7, 8, 11, 16, 24).map((gib) => gib * GIB);

const kind = fc.oneof(
  { weight: 4, arbitrary: size.map((vramMib) => ({ vramMib })) },
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: size.map((minVramMib) => ({ minVramMib })) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("a10", "H1", "x"), size).map(([gpuType, vramMib]) => ({ gpuType, vramMib })),
  },
);

const asked = fc.oneof(
  fc.integer({ min: 1, max: 3 }).map((numGpus) => ({ numGpus })),
  fc
    .uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 })
    .map((requestedGpuIdxs) => ({ numGpus: requestedGpuIdxs.length, requestedGpuIdxs })),
);

const queued = fc
  .array(fc.tuple(kind, asked, fc.integer({ min: NOW - 2 * LIMIT_S, max: NOW }), fc.boolean()), { maxLength: 8 })
  .map((jobs) =>
    jobs.map(([own, gpus, createdAt, ignoreBlacklist], index) =>
      createQueued(`q${index}`, { ...own, ...gpus, createdAt, ignoreBlacklist }),
    ),
  );

type Place = Readonly<{ gpu: number; bookedMib: number | null; usedMib: number | null }>;

const place: fc.Arbitrary<Place> = fc.record({
  gpu: fc.nat(3),
  bookedMib: fc.option(size, { freq: 4 }),
  usedMib: fc.option(fc.integer({ min: 0, max: 9000 }), { freq: 8 }),
});

const others = fc.array(fc.record({ gpu: fc.nat(3), memoryMib: fc.nat(5000) }), { maxLength: 1 });

const isLegal = (places: readonly Place[]): readonly Place[] =>
  places.filter(
    ({ gpu, bookedMib }, index) =>
      !places.some((one, at) => at < index && one.gpu === gpu && (one.bookedMib === null || bookedMib === null)),
  );

const machine: fc.Arbitrary<Machine> = fc
  .record({
    queued,
    places: fc.array(place, { maxLength: 5 }).map(isLegal),
    others,
    models: fc.array(fc.tuple(fc.constantFrom("NVIDIA A100", "NVIDIA H100"), fc.option(size, { freq: 9 })), {
      minLength: 1,
      maxLength: 4,
    }),
    blacklisted: fc.uniqueArray(fc.nat(3), { maxLength: 1 }),
    extra: fc.nat(300),
    areUsersKnown: fc.boolean(),
    sharesWithOthers: fc.boolean(),
  })
  .map(({ places, models, areUsersKnown, sharesWithOthers, extra, blacklisted, ...rest }) => {
    const gpus = models.map(([name, memoryTotal], index): Gpu => {
      const here = places.map((one, at) => ({ ...one, at })).filter(({ gpu }) => gpu === index);
      const own = here.map(({ usedMib, at }) => ({ pid: at + 1, memoryMib: usedMib, jobId: `r${at}` as JobId }));
      const foreign = rest.others
        .filter(({ gpu }) => gpu === index)
        .map(({ memoryMib }) => ({ pid: 99, memoryMib, jobId: null }));
      const users = [...own, ...foreign];
      const memoryUsed = users.reduce((sum, { memoryMib }) => sum + (memoryMib ?? 0), extra);
      const seen = { processes: users.map(({ pid }) => pid), ...(areUsersKnown ? { users } : {}) };
      return createGpu(index, [], { name, memoryTotal, memoryUsed, sharesWithOthers, ...seen });
    });
    const active = places
      .map(({ gpu, bookedMib }, at) => createRunning(`r${at}`, { gpuIdxs: [gpu], startedAt: at, vramMib: bookedMib }))
      .filter(({ gpuIdxs: [index = 0] }) => index < gpus.length);
    return {
      queued: rest.queued,
      active,
      gpus,
      blacklist: new Set(blacklisted),
      maxCpuJobs: 0,
      maxPassedOverS: LIMIT_S,
    };
  });

type Guest = Readonly<{ id: string; bookedMib: number | null; usedMib: number | null }>;
type World = ReadonlyMap<number, readonly Guest[]>;

const enter = (world: World, index: number, guest: Guest): World =>
  new Map([...world, [index, [...(world.get(index) ?? []), guest]]]);

const measure = (gpu: Gpu | undefined, id: string): number | null => {
  if (gpu?.users === undefined) return null;
  const own = gpu.users.filter(({ jobId }) => jobId === id).map(({ memoryMib }) => memoryMib);
  return own.includes(null) ? null : own.reduce<number>((sum, mib) => sum + (mib ?? 0), 0);
};

const begin = ({ active, gpus }: Machine): World => {
  let world: World = new Map();
  for (const { id, gpuIdxs, vramMib } of active)
    for (const index of gpuIdxs)
      world = enter(world, index, { id, bookedMib: vramMib ?? null, usedMib: measure(gpus[index], id) });
  return world;
};

const fillsUp = (gpu: Gpu, guests: readonly Guest[], more: number): boolean => {
  if (gpu.memoryTotal === null || gpu.memoryUsed === null) return true;
  const isKnown = gpu.users?.every(({ memoryMib }) => memoryMib !== null) === true;
  const booked = guests.reduce((sum, one) => sum + (one.bookedMib ?? 0), 0);
  const own = guests.reduce((sum, one) => sum + (one.usedMib ?? 0), 0);
  const larger = guests.reduce((sum, one) => sum + Math.max(one.bookedMib ?? 0, one.usedMib ?? 0), 0);
  const taken = isKnown ? larger + Math.max(0, gpu.memoryUsed - own) : Math.max(booked, gpu.memoryUsed);
  return more + taken > gpu.memoryTotal - 512;
};

const isForeign = ({ users, processes }: Gpu, guests: readonly Guest[]): boolean =>
  users === undefined
    ? guests.length === 0 && processes.length > 0
    : users.some(({ jobId }) => !guests.some(({ id }) => id === jobId));

const suits = ({ blacklist }: Machine, job: QueuedJob, gpu: Gpu): boolean =>
  (job.requestedGpuIdxs.length === 0 || job.requestedGpuIdxs.includes(gpu.index)) &&
  (job.ignoreBlacklist || !blacklist.has(gpu.index)) &&
  gpu.name.toUpperCase().includes((job.gpuType ?? "").toUpperCase()) &&
  (gpu.memoryTotal ?? 0) >= (job.minVramMib ?? 0) &&
  (typeof job.vramMib !== "number" || (gpu.memoryTotal ?? 0) - 512 >= job.vramMib);

const isOpenTo = (job: QueuedJob, gpu: Gpu, guests: readonly Guest[]): boolean =>
  guests.every(({ bookedMib }) => bookedMib !== null) &&
  (!isForeign(gpu, guests) || (typeof job.vramMib === "number" && gpu.sharesWithOthers === true));

const hasRoom = (job: QueuedJob, gpu: Gpu, guests: readonly Guest[]): boolean =>
  isOpenTo(job, gpu, guests) &&
  (typeof job.vramMib === "number" ? !fillsUp(gpu, guests, job.vramMib) : guests.length === 0);

const start = ({ gpus, blacklist, ...facts }: Machine) =>
  decideStarts(facts, describeGpus(gpus, facts.active, blacklist), NOW);

const isLate = ({ createdAt }: QueuedJob): boolean => NOW - createdAt > LIMIT_S;

type Scene = Readonly<{ given: Machine; world: World; kept: ReadonlySet<number> }>;

const guestsOf = ({ world }: Scene, { index }: Gpu): readonly Guest[] => world.get(index) ?? [];

const listLeft = ({ given, kept }: Scene, job: QueuedJob): readonly Gpu[] =>
  given.gpus.filter((gpu) => suits(given, job, gpu) && !kept.has(gpu.index));

const giveTo = ({ given, world }: Scene, job: QueuedJob, gpuIdxs: readonly number[]): World =>
  gpuIdxs.reduce((next, index) => {
    const usedMib = measure(given.gpus[index], job.id);
    return enter(next, index, { id: job.id, bookedMib: job.vramMib ?? null, usedMib });
  }, world);

const mayComeFree = ({ given }: Scene, job: QueuedJob, gpu: Gpu): boolean => {
  const guests = begin(given).get(gpu.index) ?? [];
  const isAdmitted = !isForeign(gpu, guests) || (typeof job.vramMib === "number" && gpu.sharesWithOthers === true);
  return suits(given, job, gpu) && (hasRoom(job, gpu, guests) || (guests.length > 0 && isAdmitted));
};

const keepFor = (scene: Scene, job: QueuedJob): ReadonlySet<number> => {
  const couldHave = scene.given.gpus.filter((gpu) => mayComeFree(scene, job, gpu)).length;
  if (!isLate(job) || couldHave < job.numGpus) return scene.kept;
  const open = listLeft(scene, job).filter((gpu) => isOpenTo(job, gpu, guestsOf(scene, gpu)));
  return new Set([...scene.kept, ...open.map(({ index }) => index)]);
};

const expectTurn = (scene: Scene, job: QueuedJob, got: readonly number[] | undefined): Scene => {
  const free = listLeft(scene, job).filter((gpu) => hasRoom(job, gpu, guestsOf(scene, gpu)));
  expect([job.id, got !== undefined]).toEqual([job.id, free.length >= job.numGpus]);
  expect(free.map(({ index }) => index)).toEqual(expect.arrayContaining([...(got ?? [])]));
  return got === undefined ? { ...scene, kept: keepFor(scene, job) } : { ...scene, world: giveTo(scene, job, got) };
};

const expectWait = ({ job, blocker }: Wait, starts: ReadonlySet<JobId>): void => {
  expect([job.id, blocker === null]).toEqual([job.id, starts.has(job.id)]);
  if (blocker?.kind !== "gpus_taken") return;
  expect(blocker.candidates.filter(({ obstacle }) => obstacle === null).length).toBeLessThan(job.numGpus);
  expect(blocker.reason === "vram" && typeof job.vramMib !== "number").toBe(false);
};

const takeHead = (jobs: readonly QueuedJob[], limit: number | null): readonly QueuedJob[] => {
  if (limit === null) return [];
  const next = jobs.slice(limit).find(isLate);
  return [...jobs.slice(0, limit), ...(next === undefined ? [] : [next])];
};

describe("over any machine, GPUs that jobs share", () => {
  test("are given by the rules: never over their memory, none alone beside another, and to all that have room", () => {
    fc.assert(
      fc.property(machine, (given) => {
        const starts = new Map(start(given).map(({ job, gpuIdxs }) => [job.id, gpuIdxs]));
        const { world } = given.queued
          .toSorted(compareStartOrder)
          .reduce<Scene>((scene, job) => expectTurn(scene, job, starts.get(job.id)), {
            ...{ given, world: begin(given), kept: new Set() },
          });
        for (const guests of world.values())
          expect(guests.length < 2 || guests.every(({ bookedMib }) => bookedMib !== null)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test("are given the same where only the jobs are read on which a decision depends", () => {
    fc.assert(
      fc.property(machine, (given) => {
        const states = describeGpus(given.gpus, given.active, given.blacklist);
        const countStarts = createCountStarts(given, states);
        const inOrder = given.queued.toSorted(compareStartOrder);
        const read = [...Map.groupBy(inOrder, nameNeed)].flatMap(([name, jobs]) =>
          takeHead(jobs, countStarts(parseNeed(name))),
        );
        expect(start({ ...given, queued: read })).toEqual(start(given));
      }),
      { numRuns: 2000 },
    );
  });

  test("are what a job waits for until it starts, and no longer", () => {
    fc.assert(
      fc.property(machine, (given) => {
        const starts = new Set(start(given).map(({ job }) => job.id));
        const ids = new Set(given.queued.map(({ id }) => id));
        for (const wait of explainWaits(given, NOW, ids)) expectWait(wait, starts);
      }),
      { numRuns: 2000 },
    );
  });
});

const owner = fc.infiniteStream(fc.constantFrom("ann", "bob"));
const max = fc.option(fc.integer({ min: 1, max: 3 }), { freq: 5 });

const bookIn = ({ gpus }: Machine, job: QueuedJob | ActiveJob, gpuIdxs: readonly number[]) => ({
  ...job,
  ...bookGpus(
    job,
    gpus.filter(({ index }) => gpuIdxs.includes(index)),
  ),
});

const limitedMachine = fc.tuple(machine, owner, max, max).map(([given, owners, maxGpus, maxRunning]): Machine => {
  const own = <Owned extends object>(job: Owned): Owned => ({ ...job, user: owners.next().value });
  const active = given.active.map((job) => bookIn(given, own(job), job.gpuIdxs) as ActiveJob);
  return { ...given, queued: given.queued.map(own), active, limitsOf: createLimitsOf({ maxGpus, maxRunning }) };
});

describe("over any machine and limits, of which a shared GPU counts as its booked part", () => {
  test("nobody's jobs start over them", () => {
    fc.assert(
      fc.property(limitedMachine, (given) => {
        const starts = start(given).map(({ job, gpuIdxs }) => bookIn(given, job, gpuIdxs));
        for (const [user, started] of Map.groupBy(starts, (job) => job.user)) {
          const had = [...given.active.filter((job) => job.user === user), ...started];
          const { maxGpus, maxRunning } = (given.limitsOf ?? NO_LIMITS)(user);
          expect(had.length).toBeLessThanOrEqual(maxRunning ?? had.length);
          const gpus = had.reduce((sum, job) => sum + countBooked(job), 0);
          expect(gpus).toBeLessThanOrEqual((maxGpus ?? gpus) + 1e-6);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("the same start where only the jobs are read on which a decision depends", () => {
    fc.assert(
      fc.property(limitedMachine, (given) => {
        const states = describeGpus(given.gpus, given.active, given.blacklist);
        const countStarts = limitStarts(createCountStarts(given, states), given, states);
        const inOrder = given.queued.toSorted(compareStartOrder);
        const read = [...Map.groupBy(inOrder, ({ user }) => user)].flatMap(([user, own]) =>
          [...Map.groupBy(own, nameNeed)].flatMap(([name, jobs]) => takeHead(jobs, countStarts(parseNeed(name), user))),
        );
        expect(start({ ...given, queued: read })).toEqual(start(given));
      }),
      { numRuns: 2000 },
    );
  });

  test("a job waits for one where it could start but for it, or for GPUs until it starts", () => {
    fc.assert(
      fc.property(limitedMachine, (given) => {
        const starts = new Set(start(given).map(({ job }) => job.id));
        for (const wait of explainWaits(given, NOW, new Set(given.queued.map(({ id }) => id))))
          expectWait(wait, starts);
      }),
      { numRuns: 2000 },
    );
  });
});

const NEED = { numGpus: 1, requestedGpuIdxs: [], ignoreBlacklist: false };

const choose = (need: Partial<QueuedJob>, gpus: readonly Gpu[], active: readonly ActiveJob[] = []) =>
  selectGpus({ ...NEED, ...need }, describeGpus(gpus, active, new Set()));

const withMemory = (...gibs: readonly number[]): readonly Gpu[] =>
  gibs.map((gib, index) => createGpu(index, [], { memoryTotal: gib * GIB, name: `GPU with ${gib}`, users: [] }));

const sharer = (id: string, index: number, gib: number): ActiveJob =>
  createRunning(id, { gpuIdxs: [index], vramMib: gib * GIB });

describe("the order of choice", () => {
  test("of a job that shares: GPUs that are shared, the least room first; then the smallest memory, then the lowest index", () => {
    const vram = { vramMib: 2 * GIB };
    expect(choose(vram, withMemory(24, 16, 8, 8))).toEqual([2]);
    expect(choose(vram, withMemory(24, 16, 8, 8), [sharer("a", 0, 4)])).toEqual([0]);
    expect(choose(vram, withMemory(24, 16, 8, 8), [sharer("a", 0, 4), sharer("b", 1, 4)])).toEqual([1]);
    expect(choose({ ...vram, numGpus: 3 }, withMemory(24, 16, 8, 8), [sharer("a", 0, 4)])).toEqual([0, 2, 3]);
    const [first, ...rest] = withMemory(8, 8);
    expect(choose(vram, first === undefined ? [] : [{ ...first, doubt: "it is 40 % busy" }, ...rest])).toEqual([0]);
  });

  test("of one that wants a GPU alone: the index, unless it says which will do; then the smallest that fits", () => {
    const gpus = withMemory(24, 16, 8, 16);
    expect(choose({}, gpus)).toEqual([0]);
    expect(choose({ minVramMib: 10 * GIB }, gpus)).toEqual([1]);
    expect(choose({ gpuType: "WITH" }, gpus)).toEqual([2]);
    expect(choose({ gpuType: "with 2" }, gpus)).toEqual([0]);
    expect(choose({ minVramMib: 10 * GIB, numGpus: 2 }, gpus)).toEqual([1, 3]);
    expect(choose({ minVramMib: 25 * GIB }, gpus)).toBeNull();
  });
});

test("a job that would be over the limit on the smallest GPU is given the largest", () => {
  const gpus = withMemory(16, 24);
  const limitsOf = createLimitsOf({ maxGpus: 1 });
  const running = { ...createRunning("a", { gpuIdxs: [1], vramMib: 12 * GIB, numGpus: 1 }), bookedGpus: 0.5 };
  const give = (gib: number, active: readonly ActiveJob[] = [running]) =>
    decideStarts(
      {
        ...{ queued: [createQueued("b", { vramMib: gib * GIB })], active, limitsOf },
        ...{ maxCpuJobs: 0, maxPassedOverS: LIMIT_S },
      },
      describeGpus(gpus, [], new Set()),
      NOW,
    ).map(({ gpuIdxs }) => gpuIdxs);
  expect([give(8), give(12), give(13)]).toEqual([[[0]], [[1]], []]);
});

test("half a GiB of each GPU is not booked", () => {
  const gpus = withMemory(8);
  expect([choose({ vramMib: 7680 }, gpus), choose({ vramMib: 7681 }, gpus)]).toEqual([[0], null]);
});

test("a GPU that is kept for a job that wants it alone takes no new sharer", () => {
  const gpus = withMemory(24);
  const states = describeGpus(gpus, [sharer("a", 0, 4)], new Set());
  const facts = { active: [sharer("a", 0, 4)], maxCpuJobs: 0, maxPassedOverS: LIMIT_S };
  const next = createQueued("next", { vramMib: GIB, createdAt: NOW });
  const startWith = (createdAt: number) =>
    decideStarts({ ...facts, queued: [createQueued("alone", { createdAt }), next] }, states, NOW).map(
      ({ job }) => job.id,
    );
  expect(startWith(NOW - LIMIT_S)).toEqual([next.id]);
  expect(startWith(NOW - LIMIT_S - 1)).toEqual([]);
});

test("needs of different kinds are told apart, and read as they were written", () => {
  const need = { ...NEED, vramMib: 10, minVramMib: null, gpuType: null, share: null, avoidedGpuIdxs: [] };
  expect(parseNeed(nameNeed(need))).toEqual(need);
  expect(nameNeed({ ...need, gpuType: "A100" })).toBe(nameNeed({ ...need, gpuType: "a100" }));
  expect(nameNeed(need)).not.toBe(nameNeed({ ...need, vramMib: null, minVramMib: 10 }));
  expect(nameNeed({ ...NEED, vramMib: null })).toBe(nameNeed(NEED));
  expect(nameNeed({ ...NEED, numGpus: 0, gpuType: "x" })).toBe(nameNeed({ ...NEED, numGpus: 0 }));
});
