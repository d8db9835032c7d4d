import { expect, test } from "bun:test";
import fc from "fast-check";
import { MACHINE_TIME, machines } from "../../../../../tests/queue-model/machines.ts";
import { findWaitsSince } from "../../jobs/fields/waits.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import { findIneligibility } from "../eligibility.ts";
import { describeGpus } from "../gpu-selection.ts";
import { nameNeedOf, parseNeed } from "../needs/need-name.ts";
import { createStartOrder, decideStarts, type Start } from "../queue-turns.ts";
import { markReserved, seeReserves } from "../reservations/reservation.ts";
import type { WaitFacts } from "../wait.ts";
import { decideFromHead, type LoadHead } from "./decide-from-head.ts";
import { describeSight, isQuiet } from "./quiet.ts";

const listReady = ({ queued }: WaitFacts, now: number): readonly QueuedJob[] =>
  queued.filter((job) => findIneligibility(job, now) === null);

const createLoad =
  (jobs: readonly QueuedJob[]): LoadHead =>
  (count, since) =>
    [...Map.groupBy(jobs.toSorted(createStartOrder(null)), (job) => `${nameNeedOf(job)}${job.user}`).values()].flatMap(
      (same) => {
        const [first] = same;
        const heads = first === undefined ? null : count(parseNeed(nameNeedOf(first)), first.user);
        if (heads === null) return [];
        const next = same.slice(heads).find((job) => findWaitsSince(job) < since);
        return [...same.slice(0, heads), ...(next === undefined ? [] : [next])];
      },
    );

const describe = ({ gpus, active, blacklist }: WaitFacts) => describeGpus(gpus ?? [], active, blacklist);

const decideAt = (given: WaitFacts, now: number) =>
  decideFromHead(given, describe(given), { now, load: createLoad(listReady(given, now)) });

const tell = (starts: readonly Start[]) => starts.map(({ job, gpuIdxs }) => [job.id, gpuIdxs]);

test("on any machine the same starts as of the whole queue", () => {
  fc.assert(
    fc.property(machines, (given) => {
      const starts = decideStarts(given, describe(given), MACHINE_TIME);
      expect(tell(decideAt(given, MACHINE_TIME).starts)).toEqual(tell(starts));
    }),
    { numRuns: 3000 },
  );
});

const later = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 100_000 }));

const uses = fc.array(fc.nat(2), { minLength: 3, maxLength: 3 });

const reserving = fc.record({
  user: fc.constantFrom("ann", "bob"),
  gpuIdxs: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 }),
  from: fc.integer({ min: -200, max: 200 }),
  lastsS: fc.integer({ min: 1, max: 400 }),
});

test("so it is with reservations that begin and end, for as long as the machine looks the same", () => {
  let quietTimes = 0;
  const limits = fc.array(fc.option(fc.integer({ min: 1, max: 300 })), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(machines, reserving, limits, fc.nat(600), (given, { from, lastsS, ...of }, times, elapsed) => {
      const begin = MACHINE_TIME + from;
      const reservation = { id: "r", ...of, from: begin, until: begin + lastsS, why: null };
      const timed = given.queued.map((job, index) => ({ ...job, timeLimitS: times[index % 3] ?? null }));
      const queued = listReady({ ...given, queued: timed }, MACHINE_TIME);
      const facts = { ...given, queued };
      const see = (now: number) => markReserved(describe(given), seeReserves([reservation], { marginS: 100 }, now));
      const [now, states] = [MACHINE_TIME + elapsed, see(MACHINE_TIME)];
      const decision = decideFromHead(facts, states, { now: MACHINE_TIME, load: createLoad(queued) });
      expect(tell(decision.starts)).toEqual(tell(decideStarts(facts, states, MACHINE_TIME)));
      const { quietUntil } = decision;
      if (quietUntil === null || now >= quietUntil) return;
      if (describeSight(given, see(now)) !== describeSight(given, states)) return;
      quietTimes++;
      expect(tell(decideStarts(facts, see(now), now))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
  expect(quietTimes).toBeGreaterThan(100);
});

const looksOf = (given: WaitFacts) => describeSight(given, describe(given));

test("while a decision says that it is quiet, none starts anything, whoever used how much meanwhile", () => {
  let quietTimes = 0;
  fc.assert(
    fc.property(machines, later, uses, (given, elapsed, seconds) => {
      const now = MACHINE_TIME + elapsed;
      const { starts, quietUntil } = decideAt(given, MACHINE_TIME);
      if (starts.length > 0) expect(quietUntil).toBeNull();
      if (quietUntil === null || now >= quietUntil) return;
      quietTimes++;
      const useOf = given.useOf ? (user: string) => seconds[user.length % 3] ?? 0 : null;
      const queued = listReady(given, MACHINE_TIME);
      const aged = { ...given, queued, useOf, countGpuSeconds: () => 3600 };
      expect(tell(decideStarts(aged, describe(aged), now))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
  expect(quietTimes).toBeGreaterThan(100);
});

test("machines that look the same start the same", () => {
  fc.assert(
    fc.property(machines, fc.nat(2000), (given, used) => {
      const gpus = (given.gpus ?? []).map((gpu) => ({ ...gpu, memoryUsed: used, temperature: used, powerDraw: used }));
      const other = { ...given, gpus };
      fc.pre(looksOf(other) === looksOf(given));
      const starts = decideStarts(given, describe(given), MACHINE_TIME);
      expect(tell(decideStarts(other, describe(other), MACHINE_TIME))).toEqual(tell(starts));
    }),
    { numRuns: 1000 },
  );
});

test("it is quiet from a decision to its end, for the same sight alone", () => {
  const quiet = { from: 10, until: 20, sight: "same" };
  expect([9, 10, 19, 20].map((now) => isQuiet(quiet, "same", now))).toEqual([false, true, true, false]);
  expect(isQuiet(quiet, "other", 10)).toBe(false);
  expect(isQuiet(undefined, "same", 10)).toBe(false);
});
