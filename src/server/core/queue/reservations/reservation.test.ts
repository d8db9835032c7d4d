import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../../tests/support/samples.ts";
import type { ActiveJob, JobId, QueuedJob } from "../../jobs/job.ts";
import { describeGpus, type GpuState, listFreeGpus } from "../gpu-selection.ts";
import { nameNeed, parseNeed } from "../needs/need-name.ts";
import { createCountStarts, limitStarts } from "../queue-head.ts";
import { compareStartOrder, decideStarts, listTurns, type QueueFacts } from "../queue-turns.ts";
import { type Blocker, explainWaits } from "../wait.ts";
import { findReserve, isReservedFor, listMoments, markReserved, type Reservation, seeReserves } from "./reservation.ts";

type Taken = Extract<Blocker, { kind: "gpus_taken" }>;

const NOW = 10_000;
const MARGIN = { marginS: 100 };
const LATE_S = 500;

type Machine = Readonly<{
  facts: QueueFacts;
  gpuIdxs: readonly number[];
  reservations: readonly Reservation[];
}>;

const user = fc.constantFrom("ann", "bob", "cid");
const someOf = (count: number) => fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 });

const reservation = fc
  .record({
    user,
    gpuIdxs: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
    from: fc.integer({ min: -300, max: 300 }).map((lead) => NOW + lead),
    lastsS: fc.integer({ min: 1, max: 600 }),
  })
  .map(({ lastsS, from, ...rest }) => ({ ...rest, from, until: from + lastsS, why: null }));

const areApart = (a: Omit<Reservation, "id">, b: Omit<Reservation, "id">): boolean =>
  a.until <= b.from || b.until <= a.from || !a.gpuIdxs.some((index) => b.gpuIdxs.includes(index));

const keepApart = (all: readonly Omit<Reservation, "id">[]): readonly Reservation[] => {
  const kept: Reservation[] = [];
  for (const [index, one] of all.entries())
    if (kept.every((other) => areApart(one, other))) kept.push({ ...one, id: `r${index}` });
  return kept;
};

const ask = fc.record({
  user,
  numGpus: fc.integer({ min: 0, max: 3 }),
  priority: fc.integer({ min: 0, max: 1 }),
  createdAt: fc.integer({ min: NOW - 2 * LATE_S, max: NOW }),
  timeLimitS: fc.option(fc.integer({ min: 1, max: 400 })),
  vramMib: fc.option(fc.constantFrom(8000, 16_000), { freq: 3 }),
  noPassing: fc.boolean(),
  requestedGpuIdxs: fc.constant<readonly number[]>([]),
});

const machine = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    busy: someOf(4),
    asks: fc.array(ask, { maxLength: 8 }),
    made: fc.array(reservation, { maxLength: 5 }),
  })
  .map(({ count, busy, asks, made }): Machine => {
    const active = busy
      .filter((index) => index < count)
      .map((index) => createRunning(`run${index}`, { gpuIdxs: [index] }));
    const queued = asks.map((one, index) => createQueued(`job${index}`, one));
    return {
      facts: { queued, active, maxCpuJobs: 2, maxPassedOverS: LATE_S },
      gpuIdxs: Array.from({ length: count }, (_, index) => index),
      reservations: keepApart(made),
    };
  });

const listGpus = (gpuIdxs: readonly number[]) => gpuIdxs.map((index) => createGpu(index, [], { users: [] }));

const see = ({ facts, gpuIdxs, reservations }: Machine, now = NOW): readonly GpuState[] =>
  markReserved(describeGpus(listGpus(gpuIdxs), facts.active, new Set()), seeReserves(reservations, MARGIN, now));

const isShut = (job: Pick<QueuedJob, "user" | "timeLimitS">, index: number, all: readonly Reservation[], now: number) =>
  all.some(({ user: owner, gpuIdxs, from, until }) => {
    const isOthers = owner !== job.user && gpuIdxs.includes(index) && now < until;
    const end = now + (job.timeLimitS ?? 0);
    return (
      isOthers && (now >= from || (typeof job.timeLimitS === "number" ? end > from : now >= from - MARGIN.marginS))
    );
  });

const expectReserved = (
  all: readonly Reservation[],
  job: QueuedJob,
  { candidates, reason, reservedUntil }: Taken,
): void => {
  const shut = candidates.flatMap(({ index, obstacle }) =>
    obstacle?.kind === "reserved" ? [{ index, ...obstacle.reserve.reservation }] : [],
  );
  const indexes = candidates.map(({ index }) => index);
  expect(shut.map(({ index }) => index)).toEqual(indexes.filter((index) => isShut(job, index, all, NOW)));
  const others = candidates.length - shut.length;
  const open = others < job.numGpus ? others : candidates.filter(({ obstacle }) => obstacle === null).length;
  const ends = shut.map(({ until }) => until).toSorted((one, other) => one - other);
  const enough = ends.find((at) => open + ends.filter((end) => end <= at).length >= job.numGpus);
  expect(reservedUntil).toBe(reason === "reserved" ? (enough ?? Number.NaN) : null);
};

describe("over any machine and reservations", () => {
  test("no job starts on a GPU that is reserved for another, now or before its time would be over, nor is one kept for it", () => {
    fc.assert(
      fc.property(machine, (given) => {
        for (const { job, gpuIdxs, room } of listTurns(given.facts, see(given), NOW)) {
          const kept = room.allocations.filter(({ kind }) => kind === "keep");
          for (const one of [{ job, gpuIdxs: gpuIdxs ?? [] }, ...kept])
            expect(one.gpuIdxs.filter((index) => isShut(one.job, index, given.reservations, NOW))).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("who has reserved gets these GPUs before any other", () => {
    fc.assert(
      fc.property(machine, (given) => {
        for (const { job, gpuIdxs, room } of listTurns(given.facts, see(given), NOW)) {
          const own = listFreeGpus(job, room.gpus).filter((gpu) => isReservedFor(job, gpu));
          const taken = own.filter(({ index }) => gpuIdxs?.includes(index));
          if (gpuIdxs !== null) expect(taken.length).toBe(Math.min(job.numGpus, own.length));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("nothing is kept for a job that too few GPUs can come free for, those left out that are reserved for others", () => {
    fc.assert(
      fc.property(machine, (given) => {
        const kept = listTurns(given.facts, see(given), NOW)
          .flatMap(({ room }) => room.allocations)
          .filter(({ kind }) => kind === "keep");
        for (const { job } of kept) {
          const open = given.gpuIdxs.filter((index) => !isShut(job, index, given.reservations, NOW));
          expect(open.length).toBeGreaterThanOrEqual(job.numGpus);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("the same start where only the jobs are read on which a decision depends", () => {
    fc.assert(
      fc.property(machine, (given) => {
        const states = see(given);
        const { facts } = given;
        const countStarts = limitStarts(createCountStarts(facts, states), facts, states);
        const inOrder = facts.queued.toSorted(compareStartOrder);
        const queued = [...Map.groupBy(inOrder, (job) => JSON.stringify([job.user, nameNeed(job)])).values()].flatMap(
          (jobs) => {
            const limit = jobs[0] && countStarts(parseNeed(nameNeed(jobs[0])), jobs[0].user);
            if (limit === null || limit === undefined) return [];
            const rest = jobs.slice(limit);
            const [late, unpassed] = [
              rest.find((job) => job.createdAt < NOW - LATE_S),
              rest.find((job) => job.noPassing),
            ];
            return [...jobs.slice(0, limit), ...new Set([late, unpassed].filter((job) => job !== undefined))];
          },
        );
        expect(decideStarts({ ...facts, queued }, states, NOW)).toEqual(decideStarts(facts, states, NOW));
      }),
      { numRuns: 2000 },
    );
  });

  test("a job that waits for reserved GPUs says until when, and which", () => {
    fc.assert(
      fc.property(machine, ({ facts, gpuIdxs, reservations }) => {
        const reserves = seeReserves(reservations, MARGIN, NOW);
        const ids = new Set(facts.queued.map(({ id }) => id));
        const all = { ...facts, gpus: listGpus(gpuIdxs), blacklist: new Set<number>(), reserves };
        for (const { job, blocker } of explainWaits(all, NOW, ids))
          if (blocker?.kind === "gpus_taken") expectReserved(reservations, job, blocker);
      }),
      { numRuns: 1000 },
    );
  });
});

type Running = ActiveJob & Readonly<{ endsAt: number }>;
type World = Readonly<{ queued: readonly QueuedJob[]; running: readonly Running[]; made: readonly Reservation[] }>;

const step = fc.record({
  passS: fc.integer({ min: 1, max: 120 }),
  asks: fc.array(ask, { maxLength: 3 }),
  reserve: fc.option(reservation),
  unreserve: fc.option(fc.nat(3), { freq: 3 }),
  lastsS: fc.integer({ min: 1, max: 300 }),
});

const startAll = ({ queued, running, made }: World, now: number, lastsS: number): World => {
  const facts = { queued, active: running, maxCpuJobs: 2, maxPassedOverS: LATE_S };
  const starts = decideStarts(facts, see({ facts, gpuIdxs: [0, 1, 2, 3], reservations: made }, now), now);
  for (const { job, gpuIdxs } of starts) {
    const open = gpuIdxs.filter((index) => !isShut(job, index, made, now));
    expect([job.id, open]).toEqual([job.id, [...gpuIdxs]]);
  }
  const started = starts.map(
    ({ job, gpuIdxs }): Running => ({
      ...createRunning(job.id, { ...job, status: "running", gpuIdxs, startedAt: now }),
      endsAt: now + Math.min(lastsS, job.timeLimitS ?? lastsS),
    }),
  );
  const ids = new Set<JobId>(started.map(({ id }) => id));
  return { queued: queued.filter(({ id }) => !ids.has(id)), running: [...running, ...started], made };
};

test("in any history only jobs of its user start while a GPU is reserved, and none with a time limit reaches into it that was started since it was made", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let world: World = { queued: [], running: [], made: [] };
      let now = 0;
      for (const [turn, { passS, asks, reserve, unreserve, lastsS }] of steps.entries()) {
        now += passS;
        const shifted =
          reserve === null ? [] : [{ ...reserve, from: reserve.from - NOW + now, until: reserve.until - NOW + now }];
        const left = world.made.filter((_, index) => index !== unreserve);
        world = {
          queued: [
            ...world.queued,
            ...asks.map((one, index) => createQueued(`t${turn}x${index}`, { ...one, createdAt: now })),
          ],
          running: world.running.filter(({ endsAt }) => endsAt > now),
          made: keepApart([...left, ...shifted]).map((one, index) => ({ ...one, id: left[index]?.id ?? `r${turn}` })),
        };
        world = startAll(world, now, lastsS);
      }
    }),
    { numRuns: 150 },
  );
});

test("a reservation is seen from before it begins until the moment at which it ends", () => {
  const one: Reservation = { id: "r", user: "ann", gpuIdxs: [1], from: 200, until: 300, why: null };
  const isShutTo = (now: number, timeLimitS: number | null, who = "bob") =>
    findReserve({ user: who, timeLimitS }, { reserves: seeReserves([one], MARGIN, now).get(1) ?? [] }) !== null;
  expect([99, 100, 199, 200, 299, 300].map((now) => isShutTo(now, null))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
  ]);
  expect([50, 51].map((limit) => isShutTo(150, limit))).toEqual([false, true]);
  expect([150, 250].map((now) => isShutTo(now, null, "ann"))).toEqual([false, false]);
  expect(listMoments([one], MARGIN)).toEqual([100, 200, 300]);
});
