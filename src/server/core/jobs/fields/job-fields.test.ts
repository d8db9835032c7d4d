import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AskedFields } from "../../../../wire/job-fields/job-fields.ts";
import { isForAnyTime, readJobFields, tellJobFields } from "./job-fields.ts";

const ASKER = { isAdmin: false };

const fields = fc.record(
  {
    name: fc.option(fc.string()),
    note: fc.option(fc.string()),
    held: fc.option(fc.boolean(), { nil: false }),
    begin_at: fc.option(fc.nat()),
  },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<AskedFields>;

test("a job of which nothing was asked is told with every field, each of them empty", () => {
  expect(tellJobFields({})).toEqual({ name: null, note: null, held: false, begin_at: null });
});

test("what is asked for is told as it was", () => {
  fc.assert(
    fc.property(fields, (asked) => {
      expect<object>(tellJobFields(readJobFields(asked, ASKER))).toEqual({ ...tellJobFields({}), ...asked });
    }),
  );
});

test("an edit leaves what it does not name, and null takes away what it does", () => {
  fc.assert(
    fc.property(fields, fields, (first, second) => {
      const edited = { ...readJobFields(first, ASKER), ...readJobFields(second, ASKER) };
      expect<object>(tellJobFields(edited)).toEqual({ ...tellJobFields({}), ...first, ...second });
    }),
  );
});

test("name and note may be changed at any time, and nothing else", () => {
  expect(isForAnyTime({ name: "a", note: null })).toBe(true);
  expect(isForAnyTime({ name: "a", heldBy: null })).toBe(false);
});
