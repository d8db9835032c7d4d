import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AskedFields } from "../../../../wire/job-fields/job-fields.ts";
import { RETRY_CAUSES } from "../../../../wire/job-fields/retries.ts";
import { isForAnyTime, readJobFields, tellJobFields } from "./job-fields.ts";

const labels = fc.record(
  {
    name: fc.option(fc.string()),
    note: fc.option(fc.string()),
    time_limit_s: fc.option(fc.integer({ min: 1 })),
    warn_s: fc.option(fc.integer({ min: 1 })),
    retry: fc.option(fc.record({ count: fc.integer({ min: 1 }), causes: fc.subarray([...RETRY_CAUSES]) })),
  },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<AskedFields>;

test("a job of which nothing was asked is told with every field, each of them empty", () => {
  const nothing = { name: null, note: null, time_limit_s: null, warn_s: null, retry: null };
  expect(tellJobFields({})).toEqual(nothing);
});

test("what is asked for is told as it was", () => {
  fc.assert(
    fc.property(labels, (asked) => {
      expect<object>(tellJobFields(readJobFields(asked))).toEqual({ ...tellJobFields({}), ...asked });
    }),
  );
});

test("an edit leaves what it does not name, and null takes away what it does", () => {
  fc.assert(
    fc.property(labels, labels, (first, second) => {
      const edited = { ...readJobFields(first), ...readJobFields(second) };
      expect<object>(tellJobFields(edited)).toEqual({ ...tellJobFields({}), ...first, ...second });
    }),
  );
});

test("name and note may be changed at any time", () => {
  expect(isForAnyTime({ name: "a", note: null }, false)).toBe(true);
});

test("of the rest only the time limit may be changed while the job runs", () => {
  expect([true, false].map((isRunning) => isForAnyTime({ timeLimitS: 60 }, isRunning))).toEqual([true, false]);
  expect([true, false].map((isRunning) => isForAnyTime({ warnS: 60 }, isRunning))).toEqual([false, false]);
});
