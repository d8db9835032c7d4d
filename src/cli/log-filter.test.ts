import { describe, expect, test } from "bun:test";
import fc from "fast-check";
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
