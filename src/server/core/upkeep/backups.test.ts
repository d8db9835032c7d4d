import { expect, test } from "bun:test";
import { isBackupDue, selectExpiredBackups } from "./backups.ts";

const DAY = 86_400;
const NOW = 1_700_000_000;

const daysAgo = (...days: readonly number[]): readonly number[] => days.map((day) => NOW - day * DAY);

test.each([
  ["there is none", [], true],
  ["the last is a day old", daysAgo(1, 2), true],
  ["one is younger than a day", daysAgo(0.99, 2), false],
  ["the clock was set back an hour since the last", [NOW + 3600], false],
  ["the only one is from a clock that was a year ahead", [NOW + 365 * DAY], true],
])("when %s", (_, times, isDue) => {
  expect(isBackupDue(times, NOW)).toBe(isDue);
});

test("a backup of each day is kept for 7 days", () => {
  expect(selectExpiredBackups(daysAgo(0, 1, 2, 3, 4, 5, 6, 7, 8), NOW)).toEqual(daysAgo(8));
});

test("the last 7 are kept however old they are, and all that are younger", () => {
  expect(selectExpiredBackups(daysAgo(40, 41, 42, 43, 44, 45, 46), NOW)).toEqual([]);
  expect(selectExpiredBackups(daysAgo(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), NOW)).toEqual([]);
});
