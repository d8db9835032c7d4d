import { expect, test } from "bun:test";
import fc from "fast-check";
import { judgeEstimates } from "./held-estimates.ts";

const judgeable = fc
  .tuple(fc.nat(1000), fc.nat(1000), fc.nat(3000))
  .map(([from, lasts, startedAt]) => ({ from, to: from + lasts, startedAt }));

const WINDOW = { since: 500, until: 2500 };

test("each start within the time counts once, those before it early, those after it late, and wider estimates hold more often", () => {
  fc.assert(
    fc.property(fc.array(judgeable), fc.nat(100), (all, wider) => {
      const { jobs, within, before, after, held_share: share } = judgeEstimates(all, WINDOW);
      const counted = all.filter(({ startedAt: at }) => at >= WINDOW.since && at <= WINDOW.until);
      expect([jobs, within + before + after]).toEqual([counted.length, counted.length]);
      expect(before).toBe(counted.filter(({ startedAt, from }) => startedAt + 60 < from).length);
      expect(after).toBe(counted.filter(({ startedAt, to }) => startedAt - 60 > to).length);
      expect(share === null).toBe(jobs === 0);
      const widened = all.map(({ from, to, startedAt }) => ({ from: from - wider, to: to + wider, startedAt }));
      expect(judgeEstimates(widened, WINDOW).within).toBeGreaterThanOrEqual(within);
    }),
  );
});
