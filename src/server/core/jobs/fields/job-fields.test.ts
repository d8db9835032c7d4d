import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AskedFields } from "../../../../wire/job-fields/job-fields.ts";
import { isForAnyTime, readJobFields, tellJobFields } from "./job-fields.ts";

const labels = fc.record(
  { name: fc.option(fc.string()), note: fc.option(fc.string()) },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<AskedFields>;

test("a job of which nothing was asked is told with every field, each of them empty", () => {
  expect(tellJobFields({})).toEqual({ name: null, note: null });
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
  expect(isForAnyTime({ name: "a", note: null })).toBe(true);
});
