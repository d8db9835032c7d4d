import { expect, test } from "bun:test";
import { createIncreasingClock } from "./increasing-clock.ts";

test("times asked for within one tick of the clock follow one another", () => {
  const clock = createIncreasingClock(
    () => 1_700_000_000.001,
    () => 0,
  );
  const times = Array.from({ length: 10_000 }, clock);
  expect(new Set(times).size).toBe(10_000);
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(0.02);
});

const readAll = (readings: readonly number[], newest: readonly number[]): readonly number[] => {
  const [left, queued] = [[...readings], [...newest]];
  const clock = createIncreasingClock(
    () => left.shift() ?? 0,
    () => queued.shift() ?? 0,
  );
  return readings.map(clock);
};

test("a clock that is set back by more than a second is followed when no job waits", () => {
  expect(readAll([1000, 999.5, 10], [0, 0])).toEqual([1000, 1000 + 1e-6, 10]);
});

test("a job that comes after the clock was set back comes after those that wait", () => {
  expect(readAll([5000, 1400, 1402, 1404], [0, 4990, 4991, 0])).toEqual([5000, 4990 + 1e-6, 4991 + 1e-6, 1404]);
  const [, first = 0, second = 0] = readAll([5000, 1400, 1400.5], [0, 4990]);
  expect(second).toBeGreaterThan(first);
});

test("also when it was set back while the server was down", () => {
  expect(readAll([1400], [5000])).toEqual([5000 + 1e-6]);
});
