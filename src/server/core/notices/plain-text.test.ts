import { expect, test } from "bun:test";
import { clipEnd, clipStart, cutRecorder, toPlainLines } from "./plain-text.ts";

test("colours, titles and control characters are left out", () => {
  const lines = toPlainLines("\u001b[1;31mred\u001b[0m\u001b]0;title\u0007 bell\u0007\u0000 \u202etrick\n\ttab\n");
  expect(lines).toEqual(["red bell trick", "    tab"]);
});

test("what the recorder of the terminal writes is left out, where it writes it", () => {
  const [start, end] = ['Script started on 2026 [TERM="x"]\r\n', '\nScript done on 2026 [COMMAND_EXIT_CODE="3"]\n'];
  expect(cutRecorder(`${start}a\r\n${end}`)).toBe("a\r\n");
  expect(cutRecorder(`a\r\n${start}${end}b\n`)).toBe(`a\r\n${start}${end}b\n`);
  expect(cutRecorder("a\r\n")).toBe("a\r\n");
});

test("of a progress bar the last state is left", () => {
  expect(toPlainLines("10%\r50%\r100%\r\nnext\r\n")).toEqual(["100%", "next"]);
});

test("of several progress bars, which go back to the lines above, the last state of each is left", () => {
  const up = "\u001b[1A";
  const rich = `a  0%\r\nb  0%\r\u001b[2K${up}\u001b[2Ka 50%\r\nb 70%\r\n`;
  expect(toPlainLines(rich)).toEqual(["a 50%", "b 70%"]);
  expect(toPlainLines(`\r\u001b[31m1%\u001b[0m\r\n\r 2%${up}\r\u001b[31m3%\u001b[0m\r\n\r 4%\r\nerror\r\n`)).toEqual([
    ...["3%", " 4%", "error"],
  ]);
});

test("a text is cut at its limit, never inside a character", () => {
  expect(clipEnd("abcdef", 6)).toBe("abcdef");
  expect(clipEnd("abcdefg", 6)).toBe("abcde…");
  expect(clipStart("abcdef", 6)).toBe("abcdef");
  expect(clipStart("abcdefg", 6)).toBe("…cdefg");
  expect(clipEnd("ab😀cd", 4)).toBe("ab…");
  expect(clipStart("ab😀cd", 4)).toBe("…cd");
});

test("a line of nothing but returns is read in a time that grows with its length alone", () => {
  expect(toPlainLines(`${"\r".repeat(1_000_000)}end\r\r\n`)).toEqual(["end"]);
});
