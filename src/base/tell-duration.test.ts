import { expect, test } from "bun:test";
import { tellDuration } from "./tell-duration.ts";

test("a duration is told in its largest units, none of those that count left out", () => {
  const told = [0, 45, 60, 300, 5400, 7200, 86_400, 93_784].map(tellDuration);
  expect(told).toEqual(["0 s", "45 s", "1 min", "5 min", "1 h 30 min", "2 h", "1 d", "1 d 2 h 3 min 4 s"]);
});
