import { expect, test } from "bun:test";
import { createCommandMatcher } from "./command-matcher.ts";

const create = async (pattern: string) => {
  const matcher = await createCommandMatcher(pattern);
  if (!matcher.ok) throw new Error(matcher.error.message);
  return matcher.value;
};

test("a pattern matches anywhere", async () => {
  const { matches, isExhausted } = await create("lr=0\\.[0-9]+");
  expect([matches("train --lr=0.1"), matches("train --lr=1"), isExhausted()]).toEqual([true, false, false]);
});

test("a pattern that would stall others is matched all the same", async () => {
  const { matches, isExhausted } = await create("(a+)+$");
  expect(matches(`${"a".repeat(50_000)}b`)).toBe(false);
  expect(isExhausted()).toBe(false);
});

test("a pattern too large for a command is given up before it is tried", async () => {
  const { matches, isExhausted } = await create("[^x]{1000}".repeat(20));
  expect([matches("a".repeat(128 * 1024)), isExhausted()]).toEqual([false, true]);
});
