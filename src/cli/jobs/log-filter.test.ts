import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { useLineFeeds } from "../../wire/logs/final-lines.ts";
import { createLogFilter, filterLog } from "./log-filter.ts";

const HEADER = 'Script started on 2026-11-24 10:17:54+00:00 [COMMAND="x" TERM="screen" COLUMNS="80" LINES="24"]\n';
const TRAILER = '\nScript done on 2026-11-24 10:17:54+00:00 [COMMAND_EXIT_CODE="3"]\n';

const filterChunks = (chunks: readonly string[], isTerminal = false): string => {
  const filter = createLogFilter(isTerminal);
  return chunks.map(filter.push).join("") + filter.end();
};

const cutAt = (text: string, places: readonly number[]): readonly string[] => {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return cuts.slice(1).map((cut, index) => text.slice(cuts[index], cut));
};

describe("the log as it is shown", () => {
  test("is without the recorder's first and last line", () => {
    expect(filterLog(`${HEADER}one\r\ntwo\r\n${TRAILER}`, false)).toBe("one\ntwo\n");
  });

  test("keeps the line ends of a terminal on a terminal", () => {
    expect(filterLog(`${HEADER}one\r\n${TRAILER}`, true)).toBe("one\r\n");
  });

  test("keeps what a job printed in the recorder's words", () => {
    expect(filterLog(`${HEADER}a${TRAILER}b\r\n${TRAILER}`, false)).toBe(`a${TRAILER}b\n`);
  });

  test("shows a log whose end has not come", () => {
    expect(filterLog(`${HEADER}half a li`, false)).toBe("half a li");
    expect(filterLog("no header\n", false)).toBe("no header\n");
    expect(filterLog("", false)).toBe("");
  });

  test("shows each line when it has come, not when the next one comes", () => {
    const filter = createLogFilter(false);
    expect([`${HEADER}one\r\n`, "two\r\n", "three", "\r\n", "50 %\r", "51 %"].map(filter.push)).toEqual([
      "one\n",
      "two\n",
      "",
      "three\n",
      "",
      "",
    ]);
    expect(filter.end()).toBe("51 %");
  });

  test("passes on each character when it has come on a terminal, which draws progress bars itself", () => {
    const filter = createLogFilter(true);
    expect([`${HEADER}three`, "\r\n", "50 %\r", "51 %"].map(filter.push)).toEqual(["three", "\r\n", "50 %", "\r51 %"]);
  });

  test("is in the end one line, its last state, of a line that was drawn anew", () => {
    const bar = "  0%\r 50%\r100%\r\n";
    expect(filterLog(`${HEADER}a\r\n${bar}b\r\n${TRAILER}`, false)).toBe("a\n100%\nb\n");
    expect(filterLog(`${HEADER}10%\r20%\r     \rdone\r\n${TRAILER}`, false)).toBe("done\n");
    expect(filterLog(`${HEADER}\u001b[2K\u001b[1G| wait\u001b[2K\u001b[1G/ wait\r\n`, false)).toBe("/ wait\n");
    expect(filterLog(`${HEADER}50%\r\u001b[K\r\n`, false)).toBe("\u001b[K\n");
  });

  test("gives what is there of a line where nothing comes for a while, but never a state of a bar", () => {
    const filter = createLogFilter(false);
    expect([filter.push(`${HEADER}Loading`), filter.pass?.(), filter.push(" ..."), filter.pass?.()]).toEqual([
      "",
      "Loading",
      "",
      " ...",
    ]);
    expect(filter.push(" done\r\n")).toBe(" done\n");
    expect([filter.push("\r 1%"), filter.pass?.(), filter.push("\r 2%"), filter.push("\r\n")]).toEqual([
      "",
      "",
      "",
      " 2%\n",
    ]);
    expect([filter.push("1%"), filter.pass?.(), filter.push("\r2%\r3%\r\n")]).toEqual(["", "1%", "\n3%\n"]);
  });

  test("holds back no more than some of a line that never ends, and only the last state of a bar", () => {
    const filter = createLogFilter(false);
    filter.push(HEADER);
    expect(filter.push("x".repeat(300_000))).toHaveLength(300_000);
    for (let index = 0; index < 1000; index += 1) expect(filter.push(`\r${"#".repeat(1000)}${index}`)).toBe("");
    expect(filter.end()).toBe(`\n${"#".repeat(1000)}999`);
  });

  test("takes a run of a million carriage returns in a moment", () => {
    const startedAt = performance.now();
    expect(filterLog(`${HEADER}${"\r".repeat(1_000_000)}a${"\r".repeat(1_000_000)}\n`, false)).toBe("a\n");
    expect(useLineFeeds(`${"\r".repeat(1_000_000)}a\r\r\n`)).toBe(`${"\r".repeat(1_000_000)}a\n`);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test.each([
    [`half a line${TRAILER}`, "half a line"],
    [`50 %\r${TRAILER}`, "50 %\n"],
    [`\r\n\r\n${TRAILER}`, "\n\n"],
    [`raw\n\n${TRAILER}`, "raw\n\n"],
    [TRAILER, ""],
    ["Script done on Monday\r\n", "Script done on Monday\n"],
    ["Script done on Monday", "Script done on Monday"],
    [`a\r\nScript done on x [COMMAND_EXIT_CODE="0"]\r\nb${TRAILER}`, 'a\nScript done on x [COMMAND_EXIT_CODE="0"]\nb'],
  ])("%j is shown as %j, a character at a time too", (log, shown) => {
    expect(filterLog(`${HEADER}${log}`, false)).toBe(shown);
    expect(filterChunks([...`${HEADER}${log}`])).toBe(shown);
  });

  test("is the same in whatever pieces it comes, whatever is in it", () => {
    const piece = fc.constantFrom("\r", "\n", "\r\n", "a", "\nScript done on ", "Script", TRAILER, HEADER, "🙂");
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat()), fc.boolean(), (pieces, places, isTerminal) => {
        const log = `${HEADER}${pieces.join("")}${TRAILER}`;
        expect(filterChunks(cutAt(log, places), isTerminal)).toBe(filterLog(log, isTerminal));
      }),
      { numRuns: 300 },
    );
  });

  test("is the same in whatever pieces it comes", () => {
    const line = fc.oneof(fc.string(), fc.constant("Script done on x"), fc.constant("Script started on y"));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
        const body = lines.map((text) => `${text.replaceAll(/[\r\n]/g, "")}\r\n`).join("");
        const log = `${HEADER}${body}${TRAILER}`;
        expect(filterChunks(cutAt(log, places))).toBe(body.replaceAll("\r\n", "\n"));
      }),
    );
  });
});
