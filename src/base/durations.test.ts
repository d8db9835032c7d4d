import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseDuration, writeDuration } from "./durations.ts";

test("a duration is read as it is typed", () => {
  const typed = { "45s": 45, "5m": 300, "2h": 7200, "1d": 86_400, "1h30m": 5400, "1d2h3m4s": 93_784, "90m": 5400 };
  for (const [text, seconds] of Object.entries(typed)) expect([text, parseDuration(text)]).toEqual([text, seconds]);
});

test("a number without a unit, which elsewhere means minutes, is no duration, nor is anything else", () => {
  for (const text of ["", "5", "0", "1.5h", "30m1h", "-5m", "5 m", "1h 30m", "5min", "h", "1w", "5M", "none", "1h30"])
    expect([text, parseDuration(text)]).toEqual([text, null]);
});

test("what is written of any number of seconds is read as the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999 * 86_400 }), (seconds) => {
      expect(parseDuration(writeDuration(seconds))).toBe(seconds);
    }),
  );
});

test("a duration is written in its largest units", () => {
  expect([0, 45, 300, 5400, 90_000].map(writeDuration)).toEqual(["0s", "45s", "5m", "1h30m", "1d1h"]);
});
