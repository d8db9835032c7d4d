import { expect, test } from "bun:test";
import { createTextMatcher } from "./text-matcher.ts";

const match = async (pattern: string, text: string): Promise<boolean | string> => {
  const matches = await createTextMatcher(pattern);
  return matches.ok ? matches.value(text) : matches.error.message;
};

test.each([
  ["train.*lr 0\\.1", "python3 train.py --lr 0.1", true],
  ["^train", "python3 train.py", false],
  ["(?i)TRAIN", "python3 train.py", true],
  ["データ", "python3 評価.py --データ x", true],
])("%p of %p: %p", async (pattern, text, isMatch) => {
  expect(await match(pattern, text)).toBe(isMatch);
});

test("an expression that goes back elsewhere is as quick as any", async () => {
  const startedAt = performance.now();
  for (const pattern of ["(x+x+)+y", "(x*)*(x*)*$y", "^(x|xx)+y", "(a|a)*b"])
    expect(await match(pattern, "x".repeat(100_000))).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(3000);
});

test("what is too large for many texts is refused with what to do", async () => {
  expect(await match("((a|b|c){1,30}){1,30}", "a")).toBe("the regular expression is too large; make it simpler");
});

test("what is no expression, too long, or needs going back is refused with why", async () => {
  expect(await match("(", "x")).toMatch(/^error parsing regexp: /);
  expect(await match("(?=x)", "x")).toMatch(/^error parsing regexp: /);
  expect(await match("x".repeat(1001), "x")).toBe("it is longer than 1000 characters");
});
