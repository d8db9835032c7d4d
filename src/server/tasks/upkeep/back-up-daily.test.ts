import { expect, test } from "bun:test";
import { createHarness, settle } from "../../../../tests/support/tasks.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { Backups } from "../../core/upkeep/backups.ts";
import { createDailyBackup } from "./back-up-daily.ts";

type Made = Result<string, Problem>;

const DAY = 86_400;
const NOW = 1_700_000_000;
const AT_ONCE = 0;

const createBackups = (make: (time: number) => Promise<Made>, times: number[] = []) => {
  const removed: number[] = [];
  const backups: Backups = {
    listTimes: () => times,
    make: (time) => {
      times.push(time);
      return make(time);
    },
    remove: async (time) => void removed.push(time),
  };
  return { backups, times, removed };
};

const succeed = async (): Promise<Made> => ok("/backups/new.db");

test("a server that has no backup makes one, and the next a day later; what is over a week old goes", async () => {
  const old = [8, 9, 10].map((day) => NOW - day * DAY);
  const { backups, times, removed } = createBackups(succeed, [...old]);
  const harness = createHarness();
  harness.setTime(NOW);
  const look = createDailyBackup(harness.context, backups, AT_ONCE);
  for (let hour = 0; hour < 7 * 24; hour += 1) {
    harness.setTime(NOW + hour * 3600);
    await look();
    await settle();
  }
  expect(times.slice(3)).toEqual([0, 1, 2, 3, 4, 5, 6].map((day) => NOW + day * DAY));
  expect(new Set(removed)).toEqual(new Set(old));
});

test("it is not waited for, and a second is not begun beside it", async () => {
  const { promise, resolve } = Promise.withResolvers<Made>();
  const { backups, times } = createBackups(() => promise);
  const harness = createHarness();
  const look = createDailyBackup(harness.context, { ...backups, listTimes: () => [] }, AT_ONCE);
  await look();
  await look();
  expect(times).toHaveLength(1);
  resolve(ok("done"));
  await settle();
  await look();
  expect(times).toHaveLength(2);
});

test.each([
  ["refuses", async () => err({ message: "no space" })],
  ["throws", () => Promise.reject(new Error("no space"))],
])("one that %s is logged and tried again later, not at once", async (_, make) => {
  const { backups, times, removed } = createBackups(make);
  const harness = createHarness();
  const look = createDailyBackup(harness.context, { ...backups, listTimes: () => [] }, AT_ONCE);
  await look();
  await settle();
  await look();
  expect(times).toHaveLength(1);
  expect(removed).toEqual([]);
  expect(harness.logs).toEqual([{ level: "error", event: "backup failed", fields: { message: "no space" } }]);
});

test("a server that has just started has other things to do first", async () => {
  const { backups, times } = createBackups(succeed);
  const look = createDailyBackup(createHarness().context, backups);
  expect(await look()).toBeGreaterThanOrEqual(60_000);
  expect(times).toEqual([]);
  await look();
  expect(times).toHaveLength(1);
});
