import { expect, test } from "bun:test";
import fc from "fast-check";
import { escapeText } from "../../base/escape-text.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "\\x1b[31mred\\x1b[0m"],
  ["two\nlines\tand\r", "two\\nlines\\tand\\x0d"],
  ["\u009b2J", "\\x9b2J"],
  ["a\u202eb", "a\\u202eb"],
  ["\0", "\\x00"],
  ["ünï 🙂 日本", "ünï 🙂 日本"],
])("%j is shown escaped", (text, shown) => {
  expect(escapeText(text)).toBe(shown);
});

test("no text moves the cursor or makes a second line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeText(text)).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
    }),
  );
});
