import { expect, test } from "bun:test";
import { clipEnd, clipStart, toPlainLines } from "./plain-text.ts";

test("colours, titles and control characters are left out", () => {
  const lines = toPlainLines("\u001b[1;31mred\u001b[0m\u001b]0;title\u0007 bell\u0007\u0000 \u202etrick\n\ttab\n");
  expect(lines).toEqual(["red bell trick", "    tab"]);
});

test("of a progress bar the last state is left", () => {
  expect(toPlainLines("10%\r50%\r100%\r\nnext\r\n")).toEqual(["100%", "next"]);
});

test("a text is cut at its limit, never inside a character", () => {
  expect(clipEnd("abcdef", 6)).toBe("abcdef");
  expect(clipEnd("abcdefg", 6)).toBe("abcde…");
  expect(clipStart("abcdefg", 6)).toBe("…cdefg");
  expect(clipEnd("ab😀cd", 4)).toBe("ab…");
  expect(clipStart("ab😀cd", 4)).toBe("…cd");
});

test("a line of nothing but returns is read in a time that grows with its length alone", () => {
  expect(toPlainLines(`${"\r".repeat(1_000_000)}end\r\r\n`)).toEqual(["end"]);
});
