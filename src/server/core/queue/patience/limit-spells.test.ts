import { expect, test } from "bun:test";
import fc from "fast-check";
import { createQueued } from "../../../../../tests/support/samples.ts";
import type { LimitedBatch } from "../limits/batch-limit.ts";
import { type LimitLook, listLimited, NONE_LIMITED, nameLimitedOf, noteLimited } from "./limit-spells.ts";
import { createIsPassedOver, findPassedOverAt, forgetSpells } from "./passed-over.ts";

const LAST = 60;
const LIMIT_S = 10;
const job = createQueued("a", { numGpus: 2, createdAt: 0 });
const NAME = nameLimitedOf(job);

const looks = fc
  .array(fc.record({ at: fc.nat(LAST), isOver: fc.constantFrom(true, false, null) }), { maxLength: 12 })
  .map((all) => all.toSorted((a, b) => a.at - b.at));

const toLook = (isOver: boolean | null): readonly LimitLook[] => [{ name: NAME, isOver }];

const noteAll = (all: readonly Readonly<{ at: number; isOver: boolean | null }>[]) =>
  all.reduce((limited, { at, isOver }) => noteLimited(limited, toLook(isOver), at), NONE_LIMITED);

const isOverAt = (all: readonly Readonly<{ at: number; isOver: boolean | null }>[], second: number): boolean =>
  all.findLast(({ at, isOver }) => at <= second && isOver !== null)?.isOver === true;

const countSeconds = (isSo: (second: number) => boolean, to: number): number =>
  Array.from({ length: to }, (_, second) => second).filter(isSo).length;

test("noted are just the seconds over a limit, as far as is known", () => {
  fc.assert(
    fc.property(looks, (all) => {
      const { since, past } = noteAll(all)[NAME] ?? { since: null, past: [] };
      const spells = listLimited({ since, past }, LAST);
      const noted = (second: number) => spells.some(({ from, to }) => second >= from && second < to);
      for (let second = 0; second < LAST; second++)
        expect([second, noted(second)]).toEqual([second, isOverAt(all, second)]);
    }),
  );
});

test("none of these count for a job that others pass, also once what tells nothing any more is forgotten", () => {
  fc.assert(
    fc.property(looks, (all) => {
      const facts = { limited: noteAll(all), maxPassedOverS: LIMIT_S };
      const counted = countSeconds((second) => !isOverAt(all, second), LAST);
      const less = { ...facts, limited: forgetSpells(facts, LAST) };
      for (const one of [facts, less]) expect(createIsPassedOver(one, LAST)(job)).toBe(counted > LIMIT_S);
      if (counted < LIMIT_S) expect(findPassedOverAt(less, job, LAST)).toBe(LAST + LIMIT_S - counted);
    }),
  );
});

test("where nothing changes it stays the same, and of jobs that wait no more only the past is kept", () => {
  const over = noteLimited(NONE_LIMITED, toLook(true), 5);
  expect(noteLimited(over, toLook(true), 6)).toBe(over);
  expect(noteLimited(over, toLook(null), 6)).toBe(over);
  const ended = noteLimited(over, [], 7);
  expect(ended).toEqual({ [NAME]: { since: null, past: [{ from: 5, to: 7 }] } });
  expect(noteLimited(ended, [], 8)).toBe(ended);
  expect(forgetSpells({ limited: ended, maxPassedOverS: LIMIT_S }, 100)).toEqual({});
});

test("jobs are over a limit together that are of one user, count alike and are of the same limited batch", () => {
  const name = (change: Parameters<typeof createQueued>[1]) =>
    nameLimitedOf(createQueued("b", { numGpus: 2, ...change }));
  const ofBatch = ({ id, max }: LimitedBatch) => name({ batchId: id, batchMax: max });
  expect(name({ cpus: 3, timeLimitS: 60, requestedGpuIdxs: [0, 1], priority: 5 })).toBe(NAME);
  expect(ofBatch({ id: "b1", max: 1 })).toBe(ofBatch({ id: "b1", max: 2 }));
  const others = [name({ user: "bob" }), name({ numGpus: 1 }), name({ vramMib: 1024 }), ofBatch({ id: "b1", max: 1 })];
  expect(new Set([NAME, ...others]).size).toBe(5);
});
