import { expect, test } from "bun:test";
import fc from "fast-check";
import { createQueued } from "../../../../tests/support/samples.ts";
import { compareStartOrder } from "./queue-turns.ts";

const order = (...jobs: readonly ReturnType<typeof createQueued>[]): readonly string[] =>
  jobs.toSorted(compareStartOrder).map((job) => job.id);

test("the higher priority starts first, then the older job, then the smaller id", () => {
  const jobs = [
    createQueued("d", { priority: 0, createdAt: 1 }),
    createQueued("c", { priority: 0, createdAt: 2 }),
    createQueued("b", { priority: 0, createdAt: 2 }),
    createQueued("a", { priority: -1, createdAt: 0 }),
    createQueued("e", { priority: 9, createdAt: 9 }),
  ];
  expect(order(...jobs)).toEqual(["e", "d", "b", "c", "a"]);
});

test("the order is the same however the jobs are given", () => {
  const job = fc
    .record({ priority: fc.integer({ min: -2, max: 2 }), createdAt: fc.integer({ min: 0, max: 3 }), id: fc.nat(999) })
    .map(({ id, ...rest }) => createQueued(`j${id}`, rest));
  const jobs = fc.uniqueArray(job, { selector: ({ id }) => id, maxLength: 12 });
  fc.assert(
    fc.property(jobs, fc.infiniteStream(fc.nat()), (some, ranks) => {
      const shuffled = some.map((one) => [ranks.next().value, one] as const).toSorted(([a], [b]) => a - b);
      expect(order(...shuffled.map(([, one]) => one))).toEqual(order(...some));
    }),
  );
});
