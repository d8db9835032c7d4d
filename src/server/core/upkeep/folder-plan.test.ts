import { expect, test } from "bun:test";
import fc from "fast-check";
import type { JobId } from "../jobs/job.ts";
import { type EndedFolder, type HeldOutputs, selectOldFolders, selectWarned, selectWarnings } from "./folder-plan.ts";

const DAY = 86_400;
const NOW = 1_700_000_000;

const folder = (id: string, daysAgo: number, overrides: Partial<EndedFolder> = {}): EndedFolder => ({
  id: id as JobId,
  endedAt: NOW - daysAgo * DAY,
  changedAt: NOW - daysAgo * DAY,
  bytes: 100,
  isCleared: false,
  outputs: null,
  ...overrides,
});

type Rules = Readonly<{ days?: number; bytes?: number | null; oldestBackup?: number | null }>;

const select = (folders: readonly EndedFolder[], { days = 30, bytes = null, oldestBackup = null }: Rules = {}) =>
  selectOldFolders(folders, { retention: { days, bytes }, now: NOW, oldestBackup });

const ids = (removals: readonly Readonly<{ id: string }>[]): string => removals.map(({ id }) => id).join("");

test("folders go a retention after their job's end, the oldest first", () => {
  expect(ids(select([folder("a", 29), folder("b", 31), folder("c", 40), folder("d", 30.01)]))).toBe("cbd");
});

test("beyond the limit the oldest go, until what is left is within it", () => {
  const folders = [folder("a", 3), folder("b", 2), folder("c", 1, { bytes: 500 }), folder("d", 31)];
  expect(ids(select(folders, { bytes: 600 }))).toBe("da");
  expect(ids(select(folders, { bytes: 499 }))).toBe("dabc");
  expect(ids(select(folders, { bytes: 700 }))).toBe("d");
});

test("what ended within the last hour stays, whatever the settings say", () => {
  const folders = [folder("a", 0.5 / 24), folder("b", 2 / 24)];
  expect(ids(select(folders, { days: 0, bytes: 0 }))).toBe("b");
  expect(ids(select(folders, { bytes: 0 }))).toBe("b");
});

test("the record of a launch stays while a backup is older than the job's end, and goes with the last such backup", () => {
  const folders = [folder("a", 9), folder("b", 5), folder("c", 4, { isCleared: true })];
  const kept = (oldestBackup: number | null) =>
    select(folders, { days: 1, oldestBackup }).map(({ id, keepsRecord }) => `${id}${keepsRecord ? " record" : ""}`);
  expect(kept(NOW - 7 * DAY)).toEqual(["a", "b record"]);
  expect(kept(NOW - DAY)).toEqual(["a", "b", "c"]);
  expect(kept(null)).toEqual(["a", "b", "c"]);
});

test("the record stays too while a backup is older than the moment at which the end was seen", () => {
  const removals = select([folder("a", 9, { changedAt: NOW - 3 * DAY })], { days: 1, oldestBackup: NOW - 7 * DAY });
  expect(removals).toMatchObject([{ id: "a", keepsRecord: true }]);
});

test("within the limit only what is too old goes; beyond it nothing stays that is older than what goes", () => {
  const anyFolder = fc.record({ age: fc.double({ min: 0, max: 60, noNaN: true }), bytes: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(anyFolder), fc.nat(5000), (drawn, limit) => {
      const folders = drawn.map(({ age, bytes }, index) => folder(`j${index}`, age, { bytes }));
      const gone = new Set(select(folders, { bytes: limit }).map(({ id }) => id));
      const stays = folders.filter(({ id }) => !gone.has(id));
      const young = stays.filter(({ endedAt }) => endedAt >= NOW - DAY / 24);
      const total = stays.reduce((sum, { bytes }) => sum + bytes, 0);
      if (young.length < stays.length) expect(total).toBeLessThanOrEqual(limit);
      const oldestKept = Math.min(...stays.map(({ endedAt }) => endedAt));
      for (const { id, endedAt } of folders) if (gone.has(id)) expect(endedAt).toBeLessThanOrEqual(oldestKept);
    }),
  );
});

const hold = (overrides: Partial<HeldOutputs> = {}): Partial<EndedFolder> => ({
  outputs: { bytes: 60, isPulled: false, warnedUntil: null, ...overrides },
});

const warn = (folders: readonly EndedFolder[], { days = 30, bytes = null }: Rules = {}) =>
  selectWarnings(folders, { retention: { days, bytes }, now: NOW }).map(
    ({ id, until }) => `${id} ${(until - NOW) / DAY}`,
  );

const describeRemovals = (removals: ReturnType<typeof select>): readonly string[] =>
  removals.map(({ id, bytes, keepsOutputs }) => `${id} ${bytes}${keepsOutputs ? " but outputs" : ""}`);

test("what a job made stays for 7 days, though the rest of its folder goes sooner", () => {
  const pulled = hold({ isPulled: true });
  const folders = [folder("a", 8, pulled), folder("b", 6, pulled), folder("c", 0.5, pulled)];
  expect(describeRemovals(select(folders, { days: 1 }))).toEqual(["a 100", "b 40 but outputs"]);
  expect(describeRemovals(select([folder("b", 6, { ...pulled, isCleared: true })], { days: 1 }))).toEqual([]);
  expect(describeRemovals(select([folder("b", 8, { ...pulled, isCleared: true })], { days: 1 }))).toEqual(["b 100"]);
});

test("what nobody has fetched goes once its owner was told, and not before the time that was told", () => {
  const at = (warnedUntil: number | null): readonly string[] =>
    describeRemovals(select([folder("a", 40, hold({ warnedUntil }))]));
  expect([at(null), at(NOW + 1), at(NOW)]).toEqual([["a 40 but outputs"], ["a 40 but outputs"], ["a 100"]]);
});

test("an owner is told a day ahead, once, and of nothing that was fetched", () => {
  expect(warn([folder("a", 28.5, hold()), folder("b", 29.5, hold()), folder("c", 40, hold())])).toEqual(["c 1", "b 1"]);
  expect(warn([folder("a", 29, hold())])).toEqual([]);
  expect(warn([folder("a", 40, hold({ isPulled: true })), folder("b", 40, hold({ warnedUntil: NOW + 5 }))])).toEqual(
    [],
  );
  expect(warn([folder("a", 5, hold()), folder("b", 6.5, hold())], { days: 1 })).toEqual(["b 1"]);
});

test("those whose owners were told are known until the time that was told, unless they are fetched or kept for longer since", () => {
  const told = (days: number, daysAgo: number, overrides: Partial<HeldOutputs>): readonly string[] =>
    selectWarned([folder("a", daysAgo, hold(overrides))], { retention: { days, bytes: null }, now: NOW }).map(
      ({ id, until, bytes }) => `${id} ${until - NOW} ${bytes}`,
    );
  const soon = { warnedUntil: NOW + 5 };
  expect([told(30, 29.5, soon), told(30, 40, soon)]).toEqual([["a 5 60"], ["a 5 60"]]);
  expect([told(60, 40, soon), told(30, 40, { ...soon, isPulled: true })]).toEqual([[], []]);
  expect([told(30, 40, { warnedUntil: NOW }), told(30, 40, {})]).toEqual([[], []]);
});

test("a limit counts what jobs made, and takes none that is younger than 7 days", () => {
  const folders = [folder("a", 9, hold()), folder("b", 8, hold()), folder("c", 3, hold()), folder("d", 2)];
  expect(warn(folders, { bytes: 250 })).toEqual(["a 1", "b 1"]);
  expect(warn(folders, { bytes: 0 })).toEqual(["a 1", "b 1"]);
  expect(describeRemovals(select(folders, { bytes: 160 }))).toEqual([
    "a 40 but outputs",
    "b 40 but outputs",
    "c 40 but outputs",
  ]);
});

test("no outputs go that are younger than 7 days, that nobody was told of, or before they were told to go", () => {
  const held = fc.record({
    isPulled: fc.boolean(),
    warnedUntil: fc.option(fc.integer({ min: NOW - DAY, max: NOW + DAY })),
  });
  const drawn = fc.record({ age: fc.double({ min: 0, max: 60, noNaN: true }), outputs: fc.option(held) });
  const rules = fc.record({ days: fc.integer({ min: 0, max: 40 }), bytes: fc.option(fc.nat(2000)) });
  fc.assert(
    fc.property(fc.array(drawn), rules, (all, given) => {
      const folders = all.map(({ age, outputs }, index) =>
        folder(`j${index}`, age, { outputs: outputs === null ? null : { bytes: 60, ...outputs } }),
      );
      const gone = select(folders, given).filter(({ keepsOutputs }) => !keepsOutputs);
      for (const { id, endedAt } of gone) {
        const { outputs } = folders.find((one) => one.id === id) ?? { outputs: null };
        if (outputs === null) continue;
        expect(endedAt).toBeLessThanOrEqual(NOW - 7 * DAY);
        expect(outputs.isPulled || (outputs.warnedUntil ?? NOW + 1) <= NOW).toBe(true);
      }
    }),
  );
});
