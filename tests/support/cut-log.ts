import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { type LogCut, renderLogMark } from "../../src/wire/log-cut.ts";

export const LINE_LENGTH = 12;

const renderLine = (number: number): string => `${String(number).padStart(LINE_LENGTH - 1, "0")}\n`;

type Piece = Readonly<{ start: number; end: number }>;

const MARK = /\r\n\[Nexus left out [^\]]*\] *\r\n/;

const locatePiece = (text: string): Piece => {
  const lineEnd = text.indexOf("\n") + 1;
  const isAligned = lineEnd === LINE_LENGTH;
  const first = isAligned ? text.slice(0, LINE_LENGTH - 1) : text.slice(lineEnd, lineEnd + LINE_LENGTH - 1);
  const start = Number(first) * LINE_LENGTH - (isAligned ? 0 : lineEnd);
  const whole = Array.from({ length: Math.ceil(text.length / LINE_LENGTH) + 1 }, (_, index) =>
    renderLine(Math.floor(start / LINE_LENGTH) + index),
  ).join("");
  const offset = start % LINE_LENGTH;
  if (whole.slice(offset, offset + text.length) !== text)
    throw new Error(`Not a piece of the log: ${text.slice(0, 40)}`);
  return { start, end: start + text.length };
};

/** What was shown of such a log, as its pieces between marks; throws for anything else. One of less than two lines can't be told, and is passed over. */
export const readPieces = (shown: string): readonly Piece[] =>
  shown
    .split(MARK)
    .filter((text) => text.length >= 2 * LINE_LENGTH)
    .map(locatePiece);

/** Records and punches like the job's session: `leaveOut` writes down what is left out, `punch` gives it up. */
export type CutLog = Readonly<{
  append: (lines: number) => void;
  size: () => number;
  cut: () => LogCut | null;
  leaveOut: (from: number, to: number) => void;
  punch: () => void;
  close: () => void;
}>;

const renderRecord = ({ from, to }: LogCut): string =>
  `${String(from).padStart(20, "0")} ${String(to).padStart(20, "0")}\n`.repeat(2);

export const createCutLog = (path: string, recordPath: string): CutLog => {
  const [log, record] = [openSync(path, "w+"), openSync(recordPath, "w+")];
  let cut: LogCut | null = null;
  let lines = 0;
  writeSync(record, renderRecord({ from: 0, to: 0 }), 0);
  return {
    append: (count) => {
      writeSync(
        log,
        Array.from({ length: count }, (_, index) => renderLine(lines + index)).join(""),
        lines * LINE_LENGTH,
      );
      lines += count;
    },
    size: () => fstatSync(log).size,
    cut: () => cut,
    leaveOut: (from, to) => {
      cut = { from, to };
      writeSync(record, renderRecord(cut), 0);
    },
    punch: () => {
      if (cut !== null) writeSync(log, new Uint8Array(cut.to - cut.from), 0, cut.to - cut.from, cut.from);
    },
    close: () => {
      closeSync(log);
      closeSync(record);
    },
  };
};

/** What is shown of the whole log now. */
export const renderShown = (size: number, cut: LogCut | null): string => {
  const whole = Array.from({ length: Math.ceil(size / LINE_LENGTH) }, (_, number) => renderLine(number)).join("");
  if (cut === null) return whole.slice(0, size);
  return whole.slice(0, cut.from) + renderLogMark(cut) + whole.slice(cut.to, size);
};
