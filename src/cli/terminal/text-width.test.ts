import { expect, test } from "bun:test";
import fc from "fast-check";
import { measureWidth, padText, splitText, truncateText } from "./text-width.ts";

test.each([
  ["plain", 5],
  ["ünï", 3],
  ["u\u0308", 1],
  ["日本語", 6],
  ["🙂", 2],
  ["👨‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["a\u200bb", 2],
  ["", 0],
])("%s takes the columns that a terminal gives it", (text, width) => {
  expect(measureWidth(text)).toBe(width);
});

test("what is cut ends with an ellipsis and cuts no character in two", () => {
  expect(truncateText("abcdef", 4)).toBe("abc…");
  expect(truncateText("abcd", 4)).toBe("abcd");
  expect(truncateText("🙂🙂🙂", 4)).toBe("🙂…");
  expect(truncateText("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 4)).toBe("👨‍👩‍👧…");
  expect(splitText("👨‍👩‍👧e\u0301x", 2)).toEqual(["👨‍👩‍👧", "e\u0301x"]);
});

test("any text fills its column exactly", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 30 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 20 }), (words, width) => {
      const cell = padText(words, width);
      expect(cell.isWellFormed()).toBe(true);
      expect(measureWidth(cell)).toBe(width);
    }),
  );
});
