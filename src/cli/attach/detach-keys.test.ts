import { expect, test } from "bun:test";
import { createDetachKeys } from "./detach-keys.ts";

const press = (...pieces: readonly string[]): boolean => {
  const isLeaving = createDetachKeys();
  return pieces.map((piece) => isLeaving(new TextEncoder().encode(piece))).some((leaves) => leaves);
};

test.each([["\u0003"], ["\u0001d"], ["\u0001D"], ["abc\u0001d"]])("%j leaves", (keys) => {
  expect(press(keys)).toBe(true);
});

test("a prefix and its letter may come apart", () => {
  expect(press("\u0001", "d")).toBe(true);
});

test.each([[["d"]], [["\u0001"]], [["\u0001x", "d"]], [["\u0001\u0002d"]], [["quit"]]])("%j does not", (keys) => {
  expect(press(...keys)).toBe(false);
});
