import { expect, test } from "bun:test";
import { createGuessLimit, MAX_GUESSES } from "./guess-limit.ts";

const createAt = (time: { now: number }) => createGuessLimit(() => time.now);

const guess = (limit: ReturnType<typeof createAt>, address: string, times = MAX_GUESSES): readonly boolean[] =>
  Array.from({ length: times }, () => limit.note(address));

test("an address is over the limit from the tenth wrong token on, for what is left of a minute", () => {
  const time = { now: 1000 };
  const limit = createAt(time);
  expect(guess(limit, "10.0.0.9", MAX_GUESSES - 1)).not.toContain(true);
  expect(limit.secondsLeft("10.0.0.9")).toBe(0);
  expect(limit.note("10.0.0.9")).toBe(true);
  expect(limit.note("10.0.0.9")).toBe(false);
  time.now += 20.5;
  expect(limit.secondsLeft("10.0.0.9")).toBe(40);
  expect(limit.secondsLeft("10.0.0.10")).toBe(0);
  time.now += 39.5;
  expect(limit.secondsLeft("10.0.0.9")).toBe(0);
  expect(guess(limit, "10.0.0.9").at(-1)).toBe(true);
});

test.each([
  ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", true],
  ["2001:db8::1", "2001:db8:0:0:1::", true],
  ["::1:2:3:4:5", "0:0:0:1::", true],
  ["::ffff:10.0.0.9", "10.0.0.9", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::1", "1::", false],
  ["10.0.0.9", "10.0.0.90", false],
])("%p and %p count as one: %p", (first, second, isSame) => {
  const limit = createAt({ now: 1 });
  guess(limit, first);
  expect(limit.secondsLeft(second) > 0).toBe(isSame);
});

test("only so many addresses are remembered, the latest", () => {
  const limit = createAt({ now: 1 });
  guess(limit, "10.255.0.1");
  for (let address = 0; address < 5000; address++) limit.note(`10.1.${address >> 8}.${address & 255}`);
  expect(limit.secondsLeft("10.255.0.1")).toBe(0);
  guess(limit, "10.255.0.1");
  expect(limit.secondsLeft("10.255.0.1")).toBe(60);
});
