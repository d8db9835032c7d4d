import { expect, test } from "bun:test";
import { createClockWatch } from "./clock-watch.ts";

test("a clock that is set between two looks is told of, one that goes with that of the machine is not", () => {
  let [wall, boot] = [1000, 10];
  const findJump = createClockWatch(
    () => wall,
    () => boot,
  );
  [wall, boot] = [9000, 8010];
  expect(findJump()).toBeNull();
  wall += 120;
  expect(findJump()?.by).toBe(120);
  boot += 86_400;
  wall += 86_400;
  expect(findJump()).toBeNull();
});

test("the clock of this machine was not set just now", () => {
  expect(createClockWatch(() => Date.now() / 1000)()).toBeNull();
});
