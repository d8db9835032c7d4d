import fc from "fast-check";
import type { AgentLimits } from "../../src/server/core/jobs/agent-limits.ts";
import type { Past } from "../../src/server/core/jobs/attempt.ts";
import type { ActiveJob, JobId, QueuedJob } from "../../src/server/core/jobs/job.ts";
import type { Drains } from "../../src/server/core/queue/drain.ts";
import type { Gpu, GpuUser } from "../../src/server/core/queue/gpu.ts";
import type { Reserve, Reserves } from "../../src/server/core/queue/reservations/reservation.ts";
import { createLimitsOf } from "../../src/server/core/queue/user-limits.ts";
import type { WaitFacts } from "../../src/server/core/queue/wait.ts";
import { createGpu, createQueued, createRunning } from "../support/samples.ts";
import { MARGIN_S } from "./contract-model.ts";

export const MACHINE_TIME = 10_000;
const LIMIT_S = 1000;
const GIB = 1024;
const MOST_GPUS = 4;
const USERS: readonly string[] = ["ann", "bob", "cy"];
const AGENT: AgentLimits = { gpus: 2, queued: 9, gpuHours: 1 };

const sizes = [1, 2, 4, 7, 8, 11, 16, 24].map((gib) => gib * GIB);
const size = fc.constantFrom(...sizes);
const gpuIdx = fc.nat(MOST_GPUS - 1);
const moment = fc.integer({ min: MACHINE_TIME - 2 * LIMIT_S, max: MACHINE_TIME + LIMIT_S });
const pastMoment = fc.integer({ min: MACHINE_TIME - 3 * LIMIT_S, max: MACHINE_TIME });
const user = fc.constantFrom(...USERS);

const rarely = <Value>(arbitrary: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const kind: fc.Arbitrary<Partial<QueuedJob>> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ vramMib: size }) },
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ minVramMib: size }) },
  { weight: 1, arbitrary: fc.record({ gpuType: fc.constantFrom("a10", "H1", "x") }) },
  { weight: 1, arbitrary: fc.record({ gpuType: fc.constantFrom("a10", "H1", "x"), vramMib: size }) },
  { weight: 1, arbitrary: fc.record({ gpuType: fc.constantFrom("a10", "H1"), minVramMib: size }) },
);

const onGpus: fc.Arbitrary<Partial<QueuedJob>> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ numGpus: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc
      .uniqueArray(fc.nat(MOST_GPUS), { minLength: 1, maxLength: 2 })
      .map((requestedGpuIdxs) => ({ numGpus: requestedGpuIdxs.length, requestedGpuIdxs })),
  },
);

const asked: fc.Arbitrary<Partial<QueuedJob>> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Partial<QueuedJob>>({ numGpus: 0 }) },
  { weight: 5, arbitrary: fc.tuple(kind, onGpus).map(([own, gpus]) => ({ ...own, ...gpus })) },
);

const past: fc.Arbitrary<Past> = moment.map((retryAt) => ({
  attempts: [],
  retryAt,
  dir: "/jobs/a",
  hasWork: false,
  messages: {},
}));

const BATCH_LIMITS: Readonly<Record<string, number | null>> = { "@a": 1, "@b": 2, "@c": null };

const batch = fc
  .constantFrom(...Object.keys(BATCH_LIMITS))
  .map((batchId) => ({ batchId, batchMax: BATCH_LIMITS[batchId] ?? null }));

const rest = fc.record({
  user,
  priority: fc.integer({ min: -1, max: 1 }),
  createdAt: pastMoment,
  ignoreBlacklist: rarely(fc.constant(true), 4).map((is) => is ?? false),
  heldBy: rarely(fc.constantFrom("user" as const, "admin" as const), 12),
  beginAt: rarely(moment, 6),
  isWaiting: rarely(fc.constant(true), 12).map((is) => is ?? false),
  noPassing: rarely(fc.constant(true), 8),
  uncountedS: rarely(fc.nat(LIMIT_S), 5).map((seconds) => seconds ?? 0),
  past: rarely(past, 8),
  avoidedGpuIdxs: rarely(fc.uniqueArray(gpuIdx, { minLength: 1, maxLength: 2 }), 5),
  agent: rarely(fc.constant(AGENT), 12),
  batch: rarely(batch, 3),
  cpus: rarely(fc.integer({ min: 1, max: 8 }), 3),
  memoryMib: rarely(size, 4),
  timeLimitS: rarely(fc.integer({ min: 1, max: 4 * LIMIT_S }), 2),
});

const queued: fc.Arbitrary<readonly QueuedJob[]> = fc.array(fc.tuple(asked, rest), { maxLength: 9 }).map((jobs) =>
  jobs.map(([gpus, { past, avoidedGpuIdxs, agent, batch, ...job }], index) =>
    createQueued(`q${index}`, {
      ...job,
      ...gpus,
      ...batch,
      ...(past === null ? {} : { past }),
      ...(avoidedGpuIdxs === null ? {} : { avoidedGpuIdxs }),
      ...(agent === null ? {} : { agent, user: "robot" }),
    }),
  ),
);

type Place = Readonly<{
  on: readonly number[];
  bookedMib: number | null;
  usedMib: number | null;
  seenOn: readonly number[];
  user: string;
  batch: Readonly<{ batchId: string }> | null;
  cpus: number | null;
  memoryMib: number | null;
}>;

const place: fc.Arbitrary<Place> = fc
  .record({
    on: fc.uniqueArray(gpuIdx, { minLength: 1, maxLength: 2 }),
    bookedMib: fc.option(size, { freq: 4 }),
    usedMib: fc.option(fc.integer({ min: 0, max: 9000 }), { freq: 8 }),
    strays: fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(gpuIdx) }),
    isIdle: rarely(fc.constant(true), 5),
    batch: rarely(batch, 3),
    cpus: rarely(fc.integer({ min: 1, max: 4 }), 2),
    memoryMib: rarely(size, 4),
    user,
  })
  .map(({ strays, isIdle, ...one }) => ({ ...one, seenOn: isIdle === true ? strays : [...one.on, ...strays] }));

const areTogether = (a: Place, b: Place): boolean => a.on.some((gpu) => b.on.includes(gpu));

const dropIllegal = (places: readonly Place[]): readonly Place[] => {
  const legal: Place[] = [];
  for (const one of places)
    if (!legal.some((other) => areTogether(one, other) && (one.bookedMib === null || other.bookedMib === null)))
      legal.push(one);
  return legal;
};

const model = fc.record({
  name: fc.constantFrom("NVIDIA A100", "NVIDIA H100", "NVIDIA A100 MIG 1g.10gb"),
  memoryTotal: fc.option(size, { freq: 12 }),
  extraMib: fc.integer({ min: -300, max: 300 }),
  isMemoryKnown: rarely(fc.constant(false), 12).map((is) => is ?? true),
  fault: rarely(fc.constant("GPU is lost"), 10),
  doubt: rarely(fc.constant("it is 40 % busy"), 6),
  unseenUse: rarely(fc.constant("it is 98 % busy"), 10),
  foreignMib: rarely(fc.nat(5000), 5),
  isBlacklisted: rarely(fc.constant(true), 6).map((is) => is ?? false),
});

type Model = typeof model extends fc.Arbitrary<infer Value> ? Value : never;
type Seeing = Readonly<{ areUsersKnown: boolean; sharesWithOthers: boolean }>;

const listUsers = (index: number, { foreignMib }: Model, places: readonly Place[]): readonly GpuUser[] => [
  ...places.flatMap(({ seenOn, usedMib }, at) =>
    seenOn.includes(index) ? [{ pid: at + 1, memoryMib: usedMib, jobId: `r${at}` as JobId }] : [],
  ),
  ...(foreignMib === null ? [] : [{ pid: 99, memoryMib: foreignMib, jobId: null }]),
];

const createSeen = (
  index: number,
  one: Model,
  { places, areUsersKnown, sharesWithOthers }: Seeing & Readonly<{ places: readonly Place[] }>,
): Gpu => {
  const { name, memoryTotal, fault, doubt } = one;
  const users = listUsers(index, one, places);
  const isTaken = users.length > 0 || places.some(({ on }) => on.includes(index));
  const unseenUse = isTaken ? null : one.unseenUse;
  const memoryUsed = Math.max(
    0,
    users.reduce((all, { memoryMib }) => all + (memoryMib ?? 0), one.extraMib),
  );
  return createGpu(
    index,
    users.map(({ pid }) => pid),
    {
      ...{ name, memoryTotal, fault, doubt, unseenUse, sharesWithOthers },
      memoryUsed: one.isMemoryKnown ? memoryUsed : null,
      ...(areUsersKnown ? { users } : {}),
    },
  );
};

const countParts = ({ bookedMib, on }: Place, gpus: readonly Gpu[]): number =>
  on.reduce((parts, index) => parts + Math.min(1, (bookedMib ?? 0) / (gpus[index]?.memoryTotal ?? bookedMib ?? 1)), 0);

const listActive = (places: readonly Place[], gpus: readonly Gpu[], cpuJobs: number): readonly ActiveJob[] => [
  ...places.map((one, at) =>
    createRunning(`r${at}`, {
      ...{ gpuIdxs: one.on, numGpus: one.on.length, user: one.user, startedAt: at, vramMib: one.bookedMib },
      ...{ ...one.batch, cpus: one.cpus, memoryMib: one.memoryMib },
      ...(one.bookedMib === null ? {} : { bookedGpus: countParts(one, gpus) }),
    }),
  ),
  ...Array.from({ length: cpuJobs }, (_, at) => createRunning(`c${at}`, { gpuIdxs: [], numGpus: 0, startedAt: at })),
];

const drains: fc.Arbitrary<Drains> = fc
  .tuple(fc.uniqueArray(pastMoment, { maxLength: 4 }), rarely(fc.tuple(pastMoment, fc.option(moment)), 6))
  .map(([ends, last]) => {
    const sorted = ends.toSorted((a, b) => a - b);
    const [first = 0, second = 0, third = 0, fourth = 0] = sorted;
    const spells = [
      { from: first, to: second },
      { from: third, to: fourth },
    ].filter(({ from, to }) => from < to);
    const since = Math.max(last?.[0] ?? 0, ...sorted);
    const until = last?.[1] ?? null;
    return {
      past: spells,
      last: last === null || (until !== null && until <= since) ? null : { why: null, since, until, by: "ann" },
    };
  });

type Span = Readonly<{ gpu: number; user: string; from: number; lasts: number }>;

const span: fc.Arbitrary<Span> = fc.record({
  gpu: gpuIdx,
  user,
  from: fc.integer({ min: MACHINE_TIME - LIMIT_S, max: MACHINE_TIME + 3 * LIMIT_S }),
  lasts: fc.integer({ min: 1, max: 2 * LIMIT_S }),
});

const isApart = (one: Span, { gpu, from, lasts }: Span): boolean =>
  one.gpu !== gpu || one.from >= from + lasts || one.from + one.lasts <= from;

const seeReserve = ({ gpu, from, lasts, ...rest }: Span, at: number): Reserve => ({
  reservation: { ...rest, id: `s${at}`, gpuIdxs: [gpu], from, until: from + lasts, why: null },
  leadS: from - MACHINE_TIME,
  isNear: from - MACHINE_TIME <= MARGIN_S,
});

const seeReserves = (spans: readonly Span[]): Reserves => {
  const apart = spans.filter((one, at) => spans.slice(0, at).every((before) => isApart(one, before)));
  const seen = apart
    .filter(({ from, lasts }) => from + lasts > MACHINE_TIME)
    .toSorted((a, b) => a.from - b.from)
    .map(seeReserve);
  return Map.groupBy(seen, ({ reservation }) => reservation.gpuIdxs[0] ?? 0);
};

const reserves = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Reserves>(new Map()) },
  { weight: 1, arbitrary: fc.array(span, { maxLength: 4 }).map(seeReserves) },
);

const host = rarely(
  fc.record({
    whole: fc.record({ cpus: fc.integer({ min: 1, max: 16 }), memoryMib: size }),
    bookCpus: fc.boolean(),
  }),
  1,
);

const max = fc.option(fc.integer({ min: 0, max: 3 }), { freq: 2 });

const limits = rarely(
  fc
    .tuple(max, max, max, max)
    .map(([maxGpus, maxRunning, ownGpus, ownRunning]) =>
      createLimitsOf({ maxGpus, maxRunning, users: [{ name: "bob", maxGpus: ownGpus, maxRunning: ownRunning }] }),
    ),
  1,
);

const use = rarely(
  fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)).map((seconds) => (name: string) => seconds[USERS.indexOf(name)] ?? 0),
  1,
);

/** A machine with its queue, of any kind that can be. */
export const machines: fc.Arbitrary<WaitFacts> = fc
  .record({
    queued,
    places: fc.array(place, { maxLength: 4 }).map(dropIllegal),
    models: fc.array(model, { maxLength: MOST_GPUS }),
    areUsersKnown: fc.boolean(),
    sharesWithOthers: fc.boolean(),
    areGpusRead: rarely(fc.constant(false), 20).map((is) => is ?? true),
    cpuJobs: fc.nat(2),
    maxCpuJobs: fc.nat(3),
    drains,
    reserves,
    host,
    limitsOf: limits,
    useOf: use,
    agentSeconds: fc.constantFrom(0, 3599, 3600),
    disk: fc.constantFrom(null, null, null, null, { freeBytes: 2, minBytes: 2 }, { freeBytes: 1, minBytes: 2 }),
    trouble: rarely(fc.constant("no terminal can be opened"), 20),
  })
  .map(
    ({
      places,
      models,
      areUsersKnown,
      sharesWithOthers,
      areGpusRead,
      cpuJobs,
      limitsOf,
      host: rules,
      agentSeconds,
      ...facts
    }) => {
      const gpus = models.map((one, index) => createSeen(index, one, { places, areUsersKnown, sharesWithOthers }));
      return {
        ...facts,
        active: listActive(places, gpus, cpuJobs),
        gpus: areGpusRead ? gpus : null,
        blacklist: new Set(models.flatMap(({ isBlacklisted }, index) => (isBlacklisted ? [index] : []))),
        maxPassedOverS: LIMIT_S,
        countGpuSeconds: () => agentSeconds,
        ...(rules === null ? {} : { host: rules }),
        ...(limitsOf === null ? {} : { limitsOf }),
      };
    },
  );
