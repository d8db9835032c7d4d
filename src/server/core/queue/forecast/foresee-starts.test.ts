import { expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../../tests/support/samples.ts";
import { accountWait } from "../../jobs/fields/waits.ts";
import type { ActiveJob, QueuedJob } from "../../jobs/job.ts";
import { createUseOf, type Stretch } from "../fair-share.ts";
import { describeGpus } from "../gpu-selection.ts";
import { decideStarts, type QueueFacts } from "../queue-turns.ts";
import { createLimitsOf } from "../user-limits.ts";
import { foreseeSpan } from "./durations.ts";
import { foreseeStarts, type Scene } from "./foresee-starts.ts";
import { releaseGpus } from "./release-gpus.ts";

const STEP_S = 600;
const DAY = 144;
const HALF_LIFE_S = 3600;
const GPUS = [0, 1, 2, 3].map((index) => createGpu(index, [], { users: [] }));
const SEE: Scene["see"] = (gpus, active) => describeGpus(gpus, active, new Set());

const need = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((numGpus) => ({ numGpus })),
  fc.constantFrom(4000, 9000, 14_000).map((vramMib) => ({ numGpus: 1, vramMib })),
  fc.constant({ numGpus: 1, requestedGpuIdxs: [2] }),
);

const wait = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ heldBy: "user" as const }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: DAY }).map((at) => ({ beginAt: at * STEP_S })) },
);

const arrival = fc.record({
  need,
  wait,
  at: fc.nat(DAY),
  lasts: fc.integer({ min: 1, max: 60 }),
  priority: fc.integer({ min: 0, max: 1 }),
  user: fc.constantFrom("ann", "bob", "cid"),
  after: fc.option(fc.nat(30), { freq: 3 }),
  isAgent: fc.boolean(),
  noPassing: fc.boolean(),
});

type Arrival = typeof arrival extends fc.Arbitrary<infer One> ? One : never;
type Life = Readonly<{ job: QueuedJob; at: number; lastsS: number }>;
type Real = Readonly<{ queued: readonly QueuedJob[]; active: readonly ActiveJob[]; past: readonly Stretch[] }>;

const createLife = (one: Arrival, index: number, isFair: boolean): Life => {
  const after = one.after !== null && one.after < index ? [`j${one.after}`] : [];
  const agent = one.isAgent && one.user === "cid" ? { agent: { gpus: 2, queued: 99, gpuHours: 1e6 } } : {};
  const created = {
    user: one.user,
    priority: one.priority,
    createdAt: one.at * STEP_S,
    noPassing: !isFair && one.noPassing,
  };
  const job = createQueued(`j${index}`, { ...one.need, ...one.wait, ...created, ...agent, after });
  return { job, at: one.at * STEP_S, lastsS: one.lasts * STEP_S };
};

const day = fc.record({
  arrivals: fc.array(arrival, { minLength: 20, maxLength: 50 }),
  isFair: fc.boolean(),
  maxGpus: fc.option(fc.integer({ min: 2, max: 4 })),
  moment: fc.integer({ min: DAY / 4, max: DAY }),
});

const toStretch = (job: ActiveJob, to: number): Stretch => ({
  user: job.user,
  gpus: job.gpuIdxs.length === 0 ? 0 : (job.bookedGpus ?? job.numGpus),
  from: job.startedAt,
  to,
});

type Day = Readonly<{ lives: readonly Life[]; rules: Omit<QueueFacts, "queued" | "active">; isFair: boolean }>;

const lastsOf = ({ lives }: Day): Scene["lastsOf"] => {
  const lasting = new Map(lives.map(({ job, lastsS }) => [job.id, lastsS]));
  return ({ id }) => lasting.get(id) ?? null;
};

const useAt =
  (past: readonly Stretch[]): NonNullable<Scene["useAt"]> =>
  (now, stretches) =>
    createUseOf([], [...past, ...stretches], { now, halfLifeS: HALF_LIFE_S });

const arrive = ({ lives }: Day, { queued, active }: Real, now: number): readonly QueuedJob[] => {
  const arrived = lives.filter(({ at }) => at === now).map(({ job }) => job);
  const open = new Set<string>([...queued, ...active, ...arrived].map(({ id }) => id));
  const isOpen = ({ after }: QueuedJob): boolean => (after ?? []).some((id) => open.has(id));
  return [
    ...queued.map((job) => (job.isWaiting && !isOpen(job) ? accountWait({ ...job, isWaiting: false }, now) : job)),
    ...arrived.map((job) => accountWait({ ...job, isWaiting: isOpen(job) }, now)),
  ];
};

const pass = (given: Day, real: Real, now: number): Real => {
  const end = (job: ActiveJob): number => job.startedAt + (lastsOf(given)(job) ?? 0);
  const ended = real.active.filter((job) => end(job) <= now);
  const past = [...real.past, ...ended.map((job) => toStretch(job, end(job)))];
  const active = real.active.filter((job) => end(job) > now);
  const queued = arrive(given, { ...real, active }, now);
  const useOf = given.isFair
    ? useAt(past)(
        now,
        active.map((job) => toStretch(job, now)),
      )
    : null;
  const starts = decideStarts({ ...given.rules, queued, active, useOf }, SEE(GPUS, active, now), now);
  const started = starts.map(({ job, gpuIdxs }) => {
    const parts = job.vramMib ? { bookedGpus: (job.numGpus * job.vramMib) / (GPUS[0]?.memoryTotal ?? 1) } : {};
    return createRunning(job.id, { ...job, status: "running", startedAt: now, gpuIdxs, ...parts });
  });
  const ids = new Set(started.map(({ id }) => id));
  return { past, active: [...active, ...started], queued: queued.filter(({ id }) => !ids.has(id)) };
};

const listStarts = (given: Day, real: Real, from: number): ReadonlyMap<string, number> => {
  const started = new Map<string, number>();
  let next = real;
  for (
    let now = from + STEP_S;
    now <= 20 * DAY * STEP_S && next.queued.length + next.active.length > 0;
    now += STEP_S
  ) {
    next = pass({ ...given, lives: given.lives.filter(({ at }) => at <= from) }, next, now);
    for (const { id, startedAt } of next.active) if (startedAt === now) started.set(id, now);
    if (next.active.length === 0 && now > 2 * DAY * STEP_S) break;
  }
  return started;
};

test("a perfect forecast is perfect: at any moment of any day it says when each job starts if no other comes", () => {
  let foreseenStarts = 0;
  fc.assert(
    fc.property(day, ({ arrivals, isFair, maxGpus, moment }) => {
      const lives = arrivals.map((one, index) => createLife(one, index, isFair));
      const limitsOf = createLimitsOf({ maxGpus, users: [{ name: "bob", maxRunning: 2 }] });
      const given = { lives, isFair, rules: { maxCpuJobs: 2, maxPassedOverS: isFair ? 1e9 : 1800, limitsOf } };
      let real: Real = { queued: [], active: [], past: [] };
      for (let now = 0; now <= moment * STEP_S; now += STEP_S) real = pass(given, real, now);
      const scene: Scene = {
        facts: { ...given.rules, queued: real.queued, active: real.active },
        ...{ gpus: GPUS, see: SEE, useAt: isFair ? useAt(real.past) : null, lastsOf: lastsOf(given), moments: [] },
      };
      const known = { ...given, lives: given.lives };
      const foreseen = new Map(
        [...foreseeStarts(scene, moment * STEP_S)].flat().map(({ id, at }) => [id as string, at]),
      );
      foreseenStarts += foreseen.size;
      expect(foreseen).toEqual(new Map(listStarts(known, real, moment * STEP_S)));
    }),
    { numRuns: 80 },
  );
  expect(foreseenStarts).toBeGreaterThan(100);
});

test("a job runs as long as the newest runs of its command that were longer than it has run, at most to its limit", () => {
  const runs = [30, 50, 90].map((seconds) => ({ command: "train", seconds }));
  const job = createQueued("a", { command: "train" });
  expect(foreseeSpan(job, runs, 100)).toEqual({ least: 30, most: 90 });
  expect(foreseeSpan({ ...job, timeLimitS: 60 }, runs, 100)).toEqual({ least: 30, most: 60 });
  expect(foreseeSpan({ ...job, command: "other" }, runs, 100)).toEqual({ least: 0, most: null });
  const running = createRunning("b", { command: "train", startedAt: 40 });
  expect(foreseeSpan(running, runs, 100)).toEqual({ least: 90, most: 90 });
  expect(foreseeSpan({ ...running, timeLimitS: 300 }, runs, 200)).toEqual({ least: 160, most: 300 });
});

test("what ended jobs had of a GPU is gone, and what others have there stays", () => {
  const job = createRunning("a", { gpuIdxs: [0] });
  const users = [
    { pid: 1, memoryMib: 500, jobId: job.id },
    { pid: 2, memoryMib: 300, jobId: null },
  ];
  const shared = createGpu(0, [1, 2], { users, memoryUsed: 900 });
  expect(releaseGpus([shared, createGpu(1, [3])], [job])).toEqual([
    { ...shared, users: users.slice(1), processes: [2], memoryUsed: 400 },
    createGpu(1, [3]),
  ]);
  expect(releaseGpus([createGpu(0, [1])], [job])).toEqual([createGpu(0, [])]);
});
