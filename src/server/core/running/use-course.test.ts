import { expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu } from "../../../../tests/support/samples.ts";
import { coarsen, type GpuFigures, toUseSpan, type UseSpan } from "./use-course.ts";

const HOUR_S = 3600;
const DAY_S = 86_400;

const figures = (percent: number): GpuFigures => ({
  meanPercent: percent,
  peakPercent: percent,
  memoryMib: 10 * percent,
  powerW: 3 * percent,
});

const lookAt = (ageS: number, ...percents: readonly number[]): UseSpan => ({
  ageS,
  looks: 1,
  gpus: percents.map(figures),
});

const mean = (spans: readonly UseSpan[], pick: (one: GpuFigures) => number | null): number => {
  const looks = spans.reduce((sum, one) => sum + one.looks, 0);
  return (
    spans.reduce((sum, one) => sum + one.looks * (one.gpus[0] === undefined ? 0 : (pick(one.gpus[0]) ?? 0)), 0) / looks
  );
};

const most = (spans: readonly UseSpan[], pick: (one: GpuFigures) => number | null): number =>
  Math.max(...spans.flatMap(({ gpus }) => gpus.map((one) => pick(one) ?? 0)));

const looks = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.double({ min: 0, max: 100, noNaN: true })), {
    minLength: 1,
    maxLength: 120,
  })
  .map((steps) => {
    let ageS = 0;
    return steps.map(([stepS, percent]) => {
      ageS += stepS;
      return lookAt(ageS, percent);
    });
  });

test("however coarse it gets, looks, mean and peak stay, times are in order, and it is as short as asked", () => {
  fc.assert(
    fc.property(looks, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (all, first, second) => {
      for (const kept of [coarsen(all, first), coarsen(coarsen(all, first), second)]) {
        expect(kept.length).toBeLessThanOrEqual(first);
        expect(kept.reduce((sum, one) => sum + one.looks, 0)).toBe(all.length);
        expect(mean(kept, ({ meanPercent }) => meanPercent)).toBeCloseTo(
          mean(all, ({ meanPercent }) => meanPercent),
          6,
        );
        expect(mean(kept, ({ powerW }) => powerW)).toBeCloseTo(
          mean(all, ({ powerW }) => powerW),
          6,
        );
        expect(most(kept, ({ peakPercent }) => peakPercent)).toBe(most(all, ({ peakPercent }) => peakPercent));
        expect(most(kept, ({ memoryMib }) => memoryMib)).toBe(most(all, ({ memoryMib }) => memoryMib));
        const ages = kept.map(({ ageS }) => ageS);
        expect(ages).toEqual(ages.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 60 },
  );
});

test("a look of every ten seconds stays for an hour, then one of a minute for a day, then one of ten minutes", () => {
  const all = Array.from({ length: (3 * DAY_S) / 10 }, (_, place) => lookAt(10 * place, 50));
  const kept = coarsen(all, 10_000);
  const endS = all.at(-1)?.ageS ?? 0;
  const count = (from: number, to: number): readonly number[] => [
    ...new Set(kept.filter(({ ageS }) => endS - ageS > from && endS - ageS < to).map((one) => one.looks)),
  ];
  expect(count(0, HOUR_S - 60)).toEqual([1]);
  expect(count(HOUR_S + 60, DAY_S - 600)).toEqual([6]);
  expect(count(DAY_S + 600, 3 * DAY_S)).toEqual([60]);
});

test("what is not known of one look is left to the others", () => {
  const nothing = { meanPercent: null, peakPercent: null, memoryMib: null, powerW: null };
  const unknown = { ageS: 2, looks: 1, gpus: [nothing] };
  expect(coarsen([lookAt(1, 40), unknown], 1)).toEqual([{ ageS: 1, looks: 2, gpus: [figures(40)] }]);
  expect(coarsen([unknown, { ...unknown, ageS: 3 }], 1)[0]?.gpus).toEqual([nothing]);
});

test("a look has the figures of the job's own GPUs, in their order", () => {
  const gpus = [createGpu(0), createGpu(1, [], { utilization: 7, memoryUsed: 80, powerDraw: null })];
  const known = { meanPercent: 7, peakPercent: 7, memoryMib: 80, powerW: null };
  const none = { meanPercent: null, peakPercent: null, memoryMib: null, powerW: null };
  expect(toUseSpan([1, 5], gpus, 30)).toEqual({ ageS: 30, looks: 1, gpus: [known, none] });
});
