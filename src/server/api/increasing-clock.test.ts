import { expect, test } from "bun:test";
import { createIncreasingClock } from "./increasing-clock.ts";

test("times asked for within one tick of the clock follow one another", () => {
  const clock = createIncreasingClock(() => 1_700_000_000.001);
  const times = Array.from({ length: 10_000 }, clock);
  expect(new Set(times).size).toBe(10_000);
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(0.02);
});

test("a clock that is set back by more than a second is followed", () => {
  const readings = [1000, 999.5, 10];
  const clock = createIncreasingClock(() => readings.shift() ?? 0);
  expect([clock(), clock(), clock()]).toEqual([1000, 1000 + 1e-6, 10]);
});
