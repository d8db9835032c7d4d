import { expect, test } from "bun:test";
import fc from "fast-check";
import { createQueued } from "../../../../tests/support/samples.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { StoreChange } from "../../core/store.ts";
import { createEventRing } from "./event-ring.ts";

const USUAL = 400;

const weigh = (change: StoreChange): number =>
  change.kind === "job" ? USUAL + change.job.command.length + (change.job.jobrc ?? "").length : USUAL;

const text = fc.nat(1000).map((length) => "x".repeat(length));

const change: fc.Arbitrary<StoreChange> = fc.oneof(
  fc
    .record({ command: text, jobrc: fc.option(text) })
    .map((fields) => ({ kind: "job" as const, job: createQueued("a", fields) })),
  fc.constant<StoreChange>({ kind: "removal", id: "a" as JobId }),
);

const limits = fc.record({
  changes: fc.nat(8),
  characters: fc.oneof(
    fc.nat(8000),
    fc.nat(20).map((times) => times * USUAL),
  ),
});

test("the newest changes are kept, as many as fit into both limits and no more, each under its number", () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 10 }), limits, (pushes, most) => {
      const ring = createEventRing(() => most);
      const all: StoreChange[] = [];
      let kept = 0;
      for (const pushed of pushes) {
        ring.push(pushed);
        all.push(...pushed);
        kept += pushed.length;
        const fits = (count: number): boolean =>
          count <= most.changes &&
          all.slice(all.length - count).reduce((sum, one) => sum + weigh(one), 0) <= most.characters;
        while (!fits(kept)) kept -= 1;
        expect([ring.first(), ring.last()]).toEqual([all.length - kept + 1, all.length]);
      }
      for (const [index, one] of all.entries())
        expect(ring.read(index + 1)).toBe(index < all.length - kept ? undefined : one);
    }),
  );
});
