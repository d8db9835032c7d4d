import { expect, test } from "bun:test";
import fc from "fast-check";
import { createQueued, createRunning } from "../../../../tests/support/samples.ts";
import { isActive } from "../jobs/job.ts";
import { applyJobEvent } from "../jobs/job-transition.ts";
import { addStretch, createUseOf, findStretch, type KeptUse, rankUsers, type Stretch } from "./fair-share.ts";
import { createStartOrder } from "./queue-turns.ts";

const HALF_LIFE_S = 100;
const NOW = 1000;

const stretch: fc.Arbitrary<Stretch> = fc
  .record({ gpus: fc.integer({ min: 1, max: 4 }), from: fc.nat(NOW), length: fc.nat(NOW) })
  .map(({ gpus, from, length }) => ({ user: "ann", gpus, from, to: Math.min(NOW, from + length) }));

const sumSeconds = (all: readonly Stretch[]): number =>
  all.reduce((sum, { gpus, from, to }) => {
    const seconds = Array.from({ length: to - from }, (_, index) => from + index + 0.5);
    return sum + gpus * seconds.reduce((faded, second) => faded + 2 ** ((second - NOW) / HALF_LIFE_S), 0);
  }, 0);

test("the figure is the seconds of GPUs, each halved for every half-life since, in whatever order they were added", () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 6 }), fc.nat(6), (all, kept) => {
      const none: KeptUse = { user: "ann", seconds: 0, at: 0 };
      const figure = all.slice(0, kept).reduce((use, one) => addStretch(use, one, HALF_LIFE_S), none);
      const useOf = createUseOf([figure], all.slice(kept), { now: NOW, halfLifeS: HALF_LIFE_S });
      const wanted = sumSeconds(all);
      expect(Math.abs(useOf("ann") - wanted)).toBeLessThanOrEqual(0.001 * wanted + 1e-9);
      expect(useOf("bob")).toBe(0);
    }),
  );
});

test("a shared GPU counts as its booked part", () => {
  const running = { ...createRunning("a", { gpuIdxs: [0, 1], startedAt: 100 }), bookedGpus: 0.75 };
  const lost = applyJobEvent(running, { kind: "lose", at: 150, reason: "gone", hasWork: false });
  expect(lost.ok ? findStretch(running, lost.value)?.gpus : null).toBe(0.75);
});

test("an attempt counts when it ends, or is tried again, and a launch that was taken back does not", () => {
  const running = createRunning("a", { gpuIdxs: [0, 1], startedAt: 100 });
  const end = (event: Parameters<typeof applyJobEvent>[1]) => {
    const next = applyJobEvent(running, event);
    if (!next.ok) throw new Error(next.error.message);
    return findStretch(running, next.value);
  };
  const lost = end({ kind: "lose", at: 150, reason: "gone", hasWork: false });
  expect(lost).toEqual({ user: running.user, gpus: 2, from: 100, to: 150 });
  expect(findStretch(running, { ...running, markedForKill: true })).toBeNull();
  expect(findStretch(running, createQueued("a"))).toBeNull();
  expect(isActive(running)).toBe(true);
});

test("within a priority goes first whose user had least, then the older job, and the order is total", () => {
  const job = fc.record({
    id: fc.uuid(),
    user: fc.constantFrom("ann", "bob", "cyd"),
    priority: fc.integer({ min: 0, max: 1 }),
    createdAt: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(job, { maxLength: 8 }), fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)), (jobs, [ann, bob, cyd]) => {
      const uses: Readonly<Record<string, number>> = { ann, bob, cyd };
      const useOf = (user: string): number => uses[user] ?? 0;
      const queued = jobs.map(({ id, ...fields }) => createQueued(id, fields));
      const ordered = queued.toSorted(createStartOrder(useOf));
      expect(queued.toReversed().toSorted(createStartOrder(useOf))).toEqual(ordered);
      for (const [index, next] of ordered.slice(1).entries()) {
        const before = ordered[index] ?? next;
        const keys = (one: typeof next) => [-one.priority, useOf(one.user), one.createdAt];
        const differing = keys(before).findIndex((key, place) => key !== keys(next)[place]);
        if (differing >= 0) expect(keys(before)[differing]).toBeLessThan(keys(next)[differing] ?? 0);
      }
      expect(rankUsers(Object.keys(uses), useOf).flat().toSorted()).toEqual(["ann", "bob", "cyd"]);
    }),
  );
});
