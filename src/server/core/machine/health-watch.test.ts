import { expect, test } from "bun:test";
import fc from "fast-check";
import { FIRST_WATCH, type HealthNews, watchHealth } from "./health-watch.ts";

type Look = readonly [now: number, isUnhealthy: boolean];

const tell = (looks: readonly Look[]): readonly (readonly [number, HealthNews])[] => {
  let watch = FIRST_WATCH;
  return looks.flatMap(([now, isUnhealthy]) => {
    const step = watchHealth(watch, isUnhealthy, now);
    watch = step.watch;
    return step.news === null ? [] : [[now, step.news] as const];
  });
};

test("a machine that stays unhealthy for five minutes is told once, and its recovery after five well minutes", () => {
  const looks: Look[] = [
    [0, true],
    [299, true],
    [300, true],
    [900, true],
    [1000, false],
    [1299, false],
    [1300, false],
    [2000, false],
  ];
  expect(tell(looks)).toEqual([
    [300, "unhealthy"],
    [1300, "recovered"],
  ]);
});

test("a moment is no news, however often it comes", () => {
  expect(
    tell([
      [0, true],
      [200, false],
      [250, true],
      [450, false],
      [500, true],
      [799, true],
    ]),
  ).toEqual([]);
});

test("news alternate, and begin with the bad", () => {
  const looks = fc.array(fc.tuple(fc.nat(400), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(looks, (steps) => {
      let now = 0;
      const told = tell(
        steps.map(([wait, isUnhealthy]): Look => {
          now += wait;
          return [now, isUnhealthy];
        }),
      ).map(([, news]) => news);
      expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? "unhealthy" : "recovered")));
    }),
  );
});
