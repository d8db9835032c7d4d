import { expect, test } from "bun:test";
import fc from "fast-check";
import { beginDrain, type Drains, endDrain, findDrain, listDrained, NO_DRAINS } from "./drain.ts";
import { countBack } from "./patience/spells.ts";

const LAST = 60;

type Act = Readonly<{ at: number; kind: "begin" | "end"; until: number | null }>;

const acts: fc.Arbitrary<readonly Act[]> = fc
  .array(
    fc.record({
      at: fc.nat(LAST),
      kind: fc.constantFrom("begin" as const, "end" as const),
      until: fc.option(fc.integer({ min: 1, max: 20 })),
    }),
    { maxLength: 8 },
  )
  .map((all) =>
    all
      .map(({ until, ...act }) => ({ ...act, until: until === null ? null : act.at + until }))
      .toSorted((a, b) => a.at - b.at),
  );

const apply = (drains: Drains, { at, kind, until }: Act): Drains =>
  kind === "begin" ? beginDrain(drains, { why: null, until, by: "ann" }, at) : endDrain(drains, at);

const isDrainedAt = (all: readonly Act[], second: number): boolean => {
  const last = all.findLast(({ at }) => at <= second);
  return last?.kind === "begin" && (last.until === null || last.until > second);
};

test("what lasts at a time is what was said last before it, until its own end", () => {
  fc.assert(
    fc.property(acts, fc.nat(LAST), (all, now) => {
      const drains = all.filter(({ at }) => at <= now).reduce(apply, NO_DRAINS);
      expect(findDrain(drains, now) !== null).toBe(isDrainedAt(all, now));
    }),
  );
});

test("counted back are just the seconds in which nothing was drained", () => {
  fc.assert(
    fc.property(acts, fc.nat(LAST), (all, seconds) => {
      const since = countBack(listDrained(all.reduce(apply, NO_DRAINS), LAST), LAST, seconds);
      const counted = Array.from({ length: 2 * LAST }, (_, index) => index - LAST).filter(
        (second) => second >= since && second < LAST && !isDrainedAt(all, second),
      );
      expect(counted.length).toBe(seconds);
    }),
  );
});

test("a drain that lasts keeps the time of its begin, and gets the reason and the end that were said last", () => {
  const first = beginDrain(NO_DRAINS, { why: "driver", until: 20, by: "ann" }, 5);
  const again = beginDrain(first, { why: null, until: null, by: "bob" }, 10);
  expect(again.last).toEqual({ why: null, since: 5, until: null, by: "bob" });
  expect(beginDrain(first, { why: null, until: null, by: "bob" }, 30).last?.since).toBe(30);
  expect(endDrain(NO_DRAINS, 3)).toBe(NO_DRAINS);
});
