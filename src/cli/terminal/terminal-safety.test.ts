import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { filterLog } from "../jobs/log-filter.ts";
import { createTerminalFilter, makeSafe } from "./terminal-safety.ts";

const E = "\u001b";

const KEPT = [
  ["plain text, tabs and line ends", "a\tb\r\nc\bd\n"],
  ["letters of every alphabet", "é 漢字 🙂 ё"],
  ["clearing the line of a progress bar", `50 %\r${E}[K60 %\r${E}[2K`],
] as const;

const LEFT_OUT = [
  ["a title", `a${E}]0;title\u0007b`],
  ["a title, ended as the standard says", `a${E}]2;title${E}\\b`],
  ["the clipboard", `a${E}]52;c;cm0gLXJmIH4=\u0007b`],
  ["a link", `a${E}]8;;http://evil.example\u0007b`],
  ["a question about the cursor", `a${E}[6nb`],
  ["a question about the terminal", `a${E}[c${E}[>q${E}Zb`],
  ["a string for the device", `a${E}P$q"p${E}\\b`],
  ["moving the cursor", `a${E}[2J${E}[H${E}[10;10H${E}[5Ab`],
  ["the other screen and the mouse", `a${E}[?1049h${E}[?1000h${E}[?2004lb`],
  ["a reset and another character set", `a${E}c${E}(0${E}#8b`],
  ["keys that send more than they should", `a${E}[>4;2mb`],
  ["a window that moves", `a${E}[3;0;0tb`],
  ["the controls of eight bits", "a\u009b\u0090\u009d\u0085b"],
  ["bells, shifts and NUL", "a\u0000\u0007\u000e\u000f\u0005\u007fb"],
  ["text that runs the other way", "a\u202e\u2066b"],
] as const;

describe("on a terminal", () => {
  test.each(KEPT)("%s stays", (_what, text) => {
    expect(makeSafe(text)).toBe(text);
  });

  test("colours stay, and end with the log", () => {
    const text = `${E}[1;31mred${E}[38:2::255:0:0mtrue`;
    expect(makeSafe(text)).toBe(`${text}${E}[0m`);
    expect(filterLog(text, true)).toBe(`${text}${E}[0m`);
    expect(filterLog(text, false)).toBe(text);
  });

  test.each(LEFT_OUT)("%s is left out, in whatever pieces it comes", (_what, text) => {
    expect(makeSafe(text)).toBe("ab");
    const filter = createTerminalFilter();
    expect([...text].map(filter.push).join("") + filter.end()).toBe("ab");
  });

  test("a string that never ends hides no more than its line", () => {
    expect(makeSafe(`a${E}]0;never\nb`)).toBe("a\nb");
    const long = "x".repeat(10_000);
    expect(makeSafe(`a${E}]0;${long}`).length).toBeGreaterThan(5000);
  });

  test("nothing but colours and cleared lines comes through, whatever comes in", () => {
    const piece = fc.constantFrom(
      E,
      "[",
      "]",
      "0",
      ";",
      "m",
      "K",
      "?",
      "h",
      "\u0007",
      "\\",
      "P",
      "\n",
      "52",
      "c",
      "x",
      "\u009b",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const filter = createTerminalFilter();
        const shown = pieces.map(filter.push).join("") + filter.end();
        expect(shown).toBe(makeSafe(pieces.join("")));
        const rest = shown
          .replaceAll(new RegExp(`${E}\\[(?:[0-9;:]*m|[0-2]?K)`, "g"), "")
          .replaceAll(/[\t\n\r\b]/g, "");
        expect(rest).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 3000 },
    );
  });
});
