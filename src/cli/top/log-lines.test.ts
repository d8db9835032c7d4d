import { expect, test } from "bun:test";
import { readLogLines, wrapLines } from "./log-lines.ts";

const E = "\u001b";

test.each([
  ["a progress bar as it stands in the end", "10 %\r50 %\r100 %\r\n", ["100 %"]],
  ["no colours", `${E}[31mred${E}[0m and ${E}[1;4mbold`, ["red and bold"]],
  ["nothing that moves, names, copies or switches", `a${E}[2J${E}]0;t\u0007${E}[?1049h${E}]52;c;eA==\u0007b`, ["ab"]],
  ["no text that runs the other way", "a\u202eb", ["ab"]],
  ["letters that were taken back", "abc\u0008\u0008d", ["ad"]],
  ["tabs as blanks", "a\tb\t\tc", [`a       b${" ".repeat(15)}c`]],
  ["empty lines", "a\r\n\r\nb\r\n", ["a", "", "b"]],
  ["no lines of the recorder", 'Script started on 2026 [TERM="x"]\r\na\r\n', ["a"]],
])("of a log is shown: %s", (_what, text, lines) => {
  expect(readLogLines(text)).toEqual(lines);
});

test("of an endless line the end is shown, and that in good time", () => {
  const [line = ""] = readLogLines(`${"x\u0008y".repeat(500_000)}end`);
  expect(line).toEndWith("end");
  expect(line.length).toBeLessThan(5000);
});

test("lines are wrapped at the width, wide characters whole", () => {
  expect(wrapLines(["abcdef", "", "漢字漢字"], 5)).toEqual(["abcde", "f", "", "漢字", "漢字"]);
  expect(wrapLines(["漢字"], 1)).toEqual(["漢", "字"]);
});
