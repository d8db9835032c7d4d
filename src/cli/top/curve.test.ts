import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawCurve, isPlainLocale, listPercents } from "./curve.ts";

test("a curve has a letter for each figure, of eight levels, and none where it is not known", () => {
  const percents = [0, 12.4, 12.5, 30, 40, 55, 65, 80, 99, 100, null, 50];
  expect(drawCurve(percents, false)).toBe("▁▁▂▃▄▅▆▇██ ▅");
  expect(drawCurve(percents, true)).toBe("__.-:=+*## =");
});

test("more is never drawn lower", () => {
  const percent = fc.double({ min: 0, max: 100, noNaN: true });
  fc.assert(
    fc.property(percent, percent, (a, b) => {
      const [low = "", high = ""] = drawCurve([Math.min(a, b), Math.max(a, b)], false);
      expect("▁▂▃▄▅▆▇█".indexOf(high)).toBeGreaterThanOrEqual("▁▂▃▄▅▆▇█".indexOf(low));
    }),
  );
});

test("of several GPUs it is the mean, where all are known", () => {
  const figures = (index: number, mean_percent: number | null) => ({
    ...{ index, mean_percent, peak_percent: mean_percent, memory_mib: null, power_w: null },
  });
  const span = (...percents: readonly (number | null)[]) => ({
    ...{ at: 1, looks: 1 },
    gpus: percents.map((percent, index) => figures(index, percent)),
  });
  expect(listPercents({ spans: [span(10, 90), span(10, null), span()] })).toEqual([50, null, null]);
});

test("only a locale that says so has nothing but ASCII", () => {
  expect(isPlainLocale({})).toBe(false);
  expect(isPlainLocale({ LANG: "C" })).toBe(true);
  expect(isPlainLocale({ LANG: "C", LC_ALL: "C.UTF-8" })).toBe(false);
  expect(isPlainLocale({ LANG: "de_DE.utf8", LC_CTYPE: "de_DE.ISO-8859-1" })).toBe(true);
});
