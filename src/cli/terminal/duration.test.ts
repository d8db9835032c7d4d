import { expect, test } from "bun:test";
import { formatDuration } from "./duration.ts";

test.each([
  [-3, "0s"],
  [0.9, "0s"],
  [59.99, "59s"],
  [60, "1m 0s"],
  [3599, "59m 59s"],
  [3600, "1h 0m"],
  [86_399, "23h 59m"],
  [86_400, "1d 0h"],
  [1_000_000, "11d 13h"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
