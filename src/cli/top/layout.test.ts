import { expect, test } from "bun:test";
import fc from "fast-check";
import { scrollTo, shareBody, shareRows } from "./layout.ts";

test("on 24 rows eight GPUs, jobs, queue and log all have their place", () => {
  expect(shareBody(18, { gpus: 8, running: 8, queued: 100 })).toEqual([8, 3, 3, 4]);
});

test("what is not needed goes to the log", () => {
  expect(shareBody(18, { gpus: 1, running: 1, queued: 0 })).toEqual([1, 1, 0, 16]);
});

test("no more is given than there is, and to none more than it wants", () => {
  const list = fc.record({ want: fc.nat(200), least: fc.nat(20) });
  fc.assert(
    fc.property(fc.nat(100), fc.array(list), (total, lists) => {
      const shares = shareRows(total, lists);
      const wanted = lists.reduce((sum, { want }) => sum + want, 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(total, wanted));
      for (const [index, share] of shares.entries()) expect(share).toBeLessThanOrEqual(lists[index]?.want ?? 0);
    }),
  );
});

test("the selected row is always among those that are seen", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), fc.nat(49), (length, rows, at) => {
      const place = at % length;
      const start = scrollTo(length, rows, place);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(place).toBeGreaterThanOrEqual(start);
      expect(place).toBeLessThan(start + rows);
    }),
  );
});
