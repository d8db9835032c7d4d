import { expect, test } from "bun:test";
import fc from "fast-check";
import { addUse, type SeenUse, tellUse } from "./gpu-use.ts";

const look = (percent: number): SeenUse => ({
  looks: 1,
  meanPercent: percent,
  peakPercent: percent,
  idleShare: percent < 1 ? 1 : 0,
});

const addAll = (uses: readonly SeenUse[]): SeenUse | undefined =>
  uses.reduce<SeenUse | undefined>((sum, use) => addUse(sum, use), undefined);

const percents = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 2, maxLength: 40 });

test("however looks are put together, mean, peak and idle share are those of all of them", () => {
  fc.assert(
    fc.property(percents, fc.nat(), (all, place) => {
      const cut = 1 + (place % (all.length - 1));
      const parts = [all.slice(0, cut), all.slice(cut)].map((part) => addAll(part.map(look)));
      const sum = addAll(parts.filter((part) => part !== undefined));
      expect(sum?.looks).toBe(all.length);
      expect(sum?.meanPercent).toBeCloseTo(all.reduce((total, one) => total + one, 0) / all.length, 6);
      expect(sum?.peakPercent).toBe(Math.max(...all));
      expect(sum?.idleShare).toBeCloseTo(all.filter((one) => one < 1).length / all.length, 6);
    }),
  );
});

test("what was never seen is told as nothing, what was seen in round figures", () => {
  expect(tellUse(undefined)).toBeNull();
  expect(tellUse(addAll([0, 50, 50.2].map(look)))).toEqual({
    mean_percent: 33.4,
    peak_percent: 50.2,
    idle_share: 0.333,
  });
});
