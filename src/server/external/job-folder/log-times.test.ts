import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createCutLog, LINE_LENGTH, renderShown } from "../../../../tests/support/cut-log.ts";
import type { JobId } from "../../core/jobs/job.ts";
import { locateJobFiles } from "./job-paths.ts";
import { createLogFile } from "./log-file.ts";

const ID = "abc123" as JobId;
const T = 1_800_000_000;

let serverDir: string;

beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), "nexus-times-"));
  mkdirSync(join(serverDir, "jobs", ID), { recursive: true });
});

afterEach(() => rmSync(serverDir, { recursive: true, force: true }));

const paths = () => locateJobFiles(serverDir, ID);

const renderNote = ([time, written]: readonly [number, number]): string =>
  `${String(time).padStart(10, "0")} ${String(written).padStart(20, "0")}\n`;

const note = (notes: readonly (readonly [number, number])[]): void =>
  writeFileSync(paths().logTimes, notes.map(renderNote).join(""));

const writeLog = (text: string, writtenAt: number): void => {
  writeFileSync(paths().outputLog, text);
  utimesSync(paths().outputLog, writtenAt, writtenAt);
};

const readSince = async (since: number, lastLines: number | null = null): Promise<string> =>
  Buffer.from(await createLogFile(serverDir).readTail(ID, lastLines, since)).toString();

const followSince = async (since: number): Promise<string> => {
  const { bytes } = await createLogFile(serverDir).resume(ID, { lastLines: null, since, place: null }, () => true);
  return new Response(bytes).text();
};

test("a log since a time begins with the line in which something was written then", async () => {
  writeLog("one\ntwo\nthree\n", T + 30);
  note([
    [T, 4],
    [T + 10, 6],
    [T + 20, 8],
  ]);
  expect(await readSince(T - 1)).toBe("one\ntwo\nthree\n");
  expect(await readSince(T + 0.5)).toBe("one\ntwo\nthree\n");
  expect(await readSince(T + 1)).toBe("two\nthree\n");
  expect(await readSince(T + 12)).toBe("two\nthree\n");
  expect(await readSince(T + 21)).toBe("three\n");
  expect(await readSince(T + 31)).toBe("");
  expect(await readSince(T + 1, 1)).toBe("three\n");
  expect(await followSince(T + 21)).toBe("three\n");
});

test("whatever is noted, nothing is left out that was written since, and it begins with a line", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.stringMatching(/^[a-z]{0,5}\n?$/)), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.integer({ min: -2, max: 300 }),
      async (writes, offset) => {
        const steps = writes.map(([pause, text], index) => ({
          text,
          at: T + writes.slice(0, index + 1).reduce((sum, [s]) => sum + s, 0),
          pause,
        }));
        const log = steps.map(({ text }) => text).join("");
        writeLog(log, steps.at(-1)?.at ?? T);
        note(
          steps.map(
            ({ at }, index) =>
              [
                at,
                steps
                  .slice(0, index + 1)
                  .map(({ text }) => text)
                  .join("").length,
              ] as const,
          ),
        );
        const shown = await readSince(T + offset);
        const since = steps
          .filter(({ at }) => at >= T + offset)
          .map(({ text }) => text)
          .join("");
        expect(log).toEndWith(shown);
        expect(shown).toEndWith(since);
        const start = log.length - shown.length;
        expect(start === 0 || start === log.length || log[start - 1] === "\n").toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

test("of a log of which something was left out the mark stands for all of it", async () => {
  const log = createCutLog(paths().outputLog, paths().logCut);
  log.append(1000);
  log.leaveOut(50 * LINE_LENGTH, 900 * LINE_LENGTH);
  const shown = renderShown(log.size(), log.cut());
  note([
    [T, 10 * LINE_LENGTH],
    [T + 10, 400 * LINE_LENGTH],
    [T + 20, 950 * LINE_LENGTH],
  ]);
  log.close();
  expect(statSync(paths().outputLog).mtimeMs / 1000).toBeLessThan(T);
  utimesSync(paths().outputLog, T + 30, T + 30);
  const lines = shown.split(/(?<=\n)/);
  expect(await readSince(T + 1)).toBe(lines.slice(10).join(""));
  expect(await readSince(T + 11)).toBe(lines.slice(50).join(""));
  expect(await readSince(T + 21)).toBe(lines.slice(-50).join(""));
  expect(await followSince(T + 21)).toBe(lines.slice(-50).join(""));
});

test("what is no such note, or leads elsewhere, hides nothing of a log", async () => {
  writeLog("one\ntwo\n", T + 30);
  for (const notes of ["", "x", "rubbish\n".repeat(100), renderNote([T, 999_999]).slice(0, 31)]) {
    writeFileSync(paths().logTimes, notes);
    expect(await readSince(T + 10)).toBe("one\ntwo\n");
  }
  rmSync(paths().logTimes);
  symlinkSync("/etc/passwd", paths().logTimes);
  expect(await readSince(T + 10)).toBe("one\ntwo\n");
  rmSync(paths().logTimes);
  expect(await createLogFile(serverDir).knowsTimes(ID)).toBe(false);
});
