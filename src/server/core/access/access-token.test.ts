import { expect, test } from "bun:test";
import { isExpired, isUserName } from "./access-token.ts";

test("a token holds until the second at which it expires, one without an end for ever", () => {
  const token = { name: "ann", role: "user", createdAt: 0 } as const;
  const listExpired = (expiresAt: number | null) =>
    [99, 100, 101].map((now) => isExpired({ ...token, expiresAt }, now));
  expect(listExpired(100)).toEqual([false, true, true]);
  expect(listExpired(null)).toEqual([false, false, false]);
});

test.each([
  ["a", true],
  ["Ann Müller", true],
  ["x".repeat(64), true],
  ["", false],
  ["x".repeat(65), false],
  ["a\nb", false],
  ["a\u2028b", false],
])("%j as a user's name: %p", (name, isName) => {
  expect(isUserName(name)).toBe(isName);
});
