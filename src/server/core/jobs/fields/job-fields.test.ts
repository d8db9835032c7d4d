import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AskedFields } from "../../../../wire/job-fields/job-fields.ts";
import { RETRY_CAUSES } from "../../../../wire/job-fields/retries.ts";
import { isForAnyTime, readJobFields, tellJobFields } from "./job-fields.ts";

const ASKER = { isAdmin: false };

const fields = fc.record(
  {
    batch_max: fc.option(fc.integer({ min: 1 })),
    name: fc.option(fc.string()),
    note: fc.option(fc.string()),
    held: fc.option(fc.boolean(), { nil: false }),
    begin_at: fc.option(fc.nat()),
    no_passing: fc.option(fc.boolean(), { nil: false }),
    time_limit_s: fc.option(fc.integer({ min: 1 })),
    warn_s: fc.option(fc.integer({ min: 1 })),
    max_idle_s: fc.option(fc.integer({ min: 1 })),
    max_silence_s: fc.option(fc.integer({ min: 1 })),
    vram_mib: fc.option(fc.integer({ min: 1 })),
    min_vram_mib: fc.option(fc.integer({ min: 1 })),
    gpu_type: fc.option(fc.string({ minLength: 1 })),
    retry: fc.option(fc.record({ count: fc.integer({ min: 1 }), causes: fc.subarray([...RETRY_CAUSES]) })),
  },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<AskedFields>;

test("a job of which nothing was asked is told with every field, each of them empty", () => {
  const labels = { name: null, note: null, held: false, begin_at: null, after: [], after_any: [], no_passing: false };
  const kinds = { batch_id: null, batch_max: null, vram_mib: null, min_vram_mib: null, gpu_type: null };
  const host = { cpus: null, memory_mib: null };
  const stalls = { max_idle_s: null, max_silence_s: null };
  const times = { time_limit_s: null, warn_s: null };
  expect(tellJobFields({})).toEqual({ ...labels, ...stalls, ...times, retry: null, ...kinds, ...host });
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

test("name, note and the limit of its batch may be changed at any time, and no other of a job that has ended", () => {
  expect(isForAnyTime({ batchMax: 2 }, false)).toBe(true);
  expect(isForAnyTime({ name: "a", note: null }, false)).toBe(true);
  expect(isForAnyTime({ name: "a", heldBy: null }, true)).toBe(false);
});

test("of the rest only the time limit may be changed while the job runs", () => {
  expect([true, false].map((isRunning) => isForAnyTime({ timeLimitS: 60 }, isRunning))).toEqual([true, false]);
  expect([true, false].map((isRunning) => isForAnyTime({ warnS: 60 }, isRunning))).toEqual([false, false]);
});
