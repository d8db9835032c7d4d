import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type CutLog, createCutLog, LINE_LENGTH, readPieces, renderShown } from "../../../../tests/support/cut-log.ts";
import { endsWithLogMark, LOG_MARK_LENGTH } from "../../../wire/log-cut.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { LogPlace } from "../../core/running/executor.ts";
import { locateJobFiles } from "./job-paths.ts";
import { createLogFile } from "./log-file.ts";

const ID = "abc123" as JobId;
const HEAD = 50 * LINE_LENGTH;
const BLOCK = 16;
const MOST_TURNS = 60;
const LEAST_KEPT = 3 * LINE_LENGTH;

let serverDir: string;
let log: CutLog;

beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), "nexus-cut-"));
  const { dir, outputLog, logCut } = locateJobFiles(serverDir, ID);
  mkdirSync(dir, { recursive: true });
  log = createCutLog(outputLog, logCut);
});

afterEach(() => {
  log.close();
  rmSync(serverDir, { recursive: true, force: true });
});

const logs = () => createLogFile(serverDir);

const leaveOut = (kept: number): void => {
  const to = Math.floor((log.size() - kept) / BLOCK) * BLOCK;
  if (to > (log.cut()?.to ?? HEAD) + BLOCK) log.leaveOut(HEAD, to);
};

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

const begin = async (place: LogPlace) => {
  const { position, bytes } = await logs().resume(ID, { lastLines: null, place }, () => true);
  return { position, text: await collect(bytes) };
};

const collect = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text();

describe("a log of which something was left out", () => {
  test("is shown with its beginning, a mark, and its newest part, whole and from any line on", async () => {
    log.append(1000);
    leaveOut(100 * LINE_LENGTH);
    log.punch();
    const shown = renderShown(log.size(), log.cut());
    expect(await collect(logs().follow(ID, null, () => true))).toBe(shown);
    expect(toText(await logs().readTail(ID, null))).toBe(shown);
    const lines = shown.split(/(?<=\n)/);
    for (const count of [1, 99, 100, 101, 102, 103, 120, 500])
      expect(toText(await logs().readTail(ID, count))).toBe(lines.slice(-count).join(""));
    for (const count of [1, 99, 120, 500]) {
      const followed = await collect(logs().follow(ID, count, () => true));
      const expected = lines.slice(-count).join("");
      expect(followed.endsWith(expected) && followed.length - expected.length < 120).toBe(true);
    }
  });

  test("is whole as long as what is to be left out is not written down, and for a record that is none", async () => {
    log.append(300);
    const whole = renderShown(log.size(), null);
    const { logCut } = locateJobFiles(serverDir, ID);
    for (const record of ["", "x", "0000 0010\n", `${"9".repeat(20)} ${"1".padStart(20, "0")}\n`.repeat(2)]) {
      writeFileSync(logCut, record);
      expect(await collect(logs().follow(ID, null, () => true))).toBe(whole);
      expect(toText(await logs().readTail(ID, null))).toBe(whole);
    }
    rmSync(logCut);
    expect(toText(await logs().readTail(ID, null))).toBe(whole);
  });

  test("is not taken for one by what lies beyond its end", async () => {
    log.append(10);
    log.leaveOut(24, 1_000_000);
    expect(toText(await logs().readTail(ID, null))).toBe(renderShown(log.size(), null));
  });

  test("that is gone on with from a byte it no longer has goes on with the mark, once", async () => {
    log.append(1000);
    leaveOut(100 * LINE_LENGTH);
    log.punch();
    const { from, to } = log.cut() ?? { from: 0, to: 0 };
    const lost = from + 5 * LINE_LENGTH;
    const mark = await begin({ from: lost, isMarked: false });
    expect([mark.position, mark.text.length]).toEqual([lost, LOG_MARK_LENGTH]);
    expect(mark.text).toMatch(/^\r\n\[Nexus left out .* \r\n$/);
    const after = await begin({ from: lost, isMarked: true });
    expect([after.position, readPieces(after.text)]).toEqual([to, [{ start: to, end: log.size() }]]);
    expect(await begin({ from: log.size(), isMarked: false })).toEqual({ position: log.size(), text: "" });
    expect((await begin({ from: log.size() + 1, isMarked: false })).position).toBe(0);
    const printed = await begin({ from: 24, isMarked: true });
    expect(printed.position).toBe(24 + LOG_MARK_LENGTH);
  });
});

type Act = Readonly<{
  kind: "append" | "leave out" | "punch" | "read" | "read meanwhile" | "come back" | "look meanwhile";
  amount: number;
}>;

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(
    "append",
    "append",
    "leave out",
    "punch",
    "read",
    "read",
    "read meanwhile",
    "come back",
    "look meanwhile",
  ),
  amount: fc.integer({ min: 1, max: 9000 }),
});

type Reading = Readonly<{
  read: () => Promise<boolean>;
  comeBack: () => Promise<void>;
  isBehind: () => boolean;
  shown: () => string;
}>;

const startReading = async (hasEnded: () => boolean): Promise<Reading> => {
  let shown = "";
  let place: LogPlace = { from: 0, isMarked: false };
  const open = async () => {
    const { position, bytes } = await logs().resume(ID, { lastLines: null, place }, hasEnded);
    place = { from: position, isMarked: false };
    return bytes.getReader();
  };
  let reader = await open();
  const comeBack = async (): Promise<void> => {
    await reader.cancel();
    reader = await open();
  };
  const take = (text: string): void => {
    shown += text;
    const isMarked = endsWithLogMark(text);
    place = { from: place.from + (isMarked ? 0 : text.length), isMarked };
  };
  const read = async (): Promise<boolean> => {
    const chunk = await reader.read();
    if (chunk.done) await comeBack();
    else take(Buffer.from(chunk.value).toString("latin1"));
    return !chunk.done;
  };
  return { read, comeBack, isBehind: () => place.isMarked || place.from < log.size(), shown: () => shown };
};

const expectAllShown = (shown: string): void => {
  const pieces = readPieces(shown);
  expect([pieces[0]?.start, pieces.at(-1)?.end]).toEqual([0, log.size()]);
  for (const [index, { start }] of pieces.slice(1).entries()) {
    expect(pieces[index]?.end).toBeGreaterThanOrEqual(HEAD);
    expect(start).toBeGreaterThan(pieces[index]?.end ?? 0);
    expect(start).toBeLessThanOrEqual(log.cut()?.to ?? 0);
  }
};

const pass = async (turns: number): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const beginAnew = (): void => {
  log.close();
  const { outputLog, logCut } = locateJobFiles(serverDir, ID);
  log = createCutLog(outputLog, logCut);
  log.append(100);
};

test("whatever is printed, left out and read, and however often one comes back: all that was not left out is shown, once and in order", async () => {
  const showsAll = async (acts: readonly Act[]): Promise<void> => {
    let hasEnded = false;
    beginAnew();
    const reading = await startReading(() => hasEnded);
    const perform: Readonly<Record<Act["kind"], (amount: number) => unknown>> = {
      append: (amount) => log.append(amount),
      "leave out": (amount) => leaveOut(LEAST_KEPT + amount * 5),
      punch: () => log.punch(),
      read: () => reading.isBehind() && reading.read(),
      "read meanwhile": async (amount) => {
        const reads = reading.isBehind() ? reading.read() : null;
        await pass(amount % MOST_TURNS);
        leaveOut(LEAST_KEPT + amount);
        log.punch();
        await reads;
      },
      "come back": reading.comeBack,
      "look meanwhile": async (amount) => {
        const before = renderShown(log.size(), log.cut());
        const looking = logs().readTail(ID, null);
        await pass(amount % MOST_TURNS);
        leaveOut(LEAST_KEPT + amount);
        log.punch();
        expect([before, renderShown(log.size(), log.cut())]).toContain(toText(await looking));
      },
    };
    for (const { kind, amount } of acts) await perform[kind](amount);
    hasEnded = true;
    for (let more = true; more || reading.isBehind(); ) more = await reading.read();
    expectAllShown(reading.shown());
  };
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 25 }), showsAll), { numRuns: 150 });
}, 120_000);
