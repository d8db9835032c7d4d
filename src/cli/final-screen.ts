import { measureWidth } from "./text-width.ts";

const ESC = "\\u001b";
const LAST_WORDS = "screen is terminating|(?:remote |power )?detached from [^\\]\\r\\n]*";
const FAREWELL = new RegExp(`${ESC}\\[\\d+;1H\\r\\n\\[(?:${LAST_WORDS})\\]\\r\\n$`);
const MOST_FAREWELL = 300;
const PAINT = new RegExp(`${ESC}\\[[0-9;:]*[mK]`, "g");
const TAB = 8;

/** Without screen's own last words, for which it moves to the last line: nx says how it ended. */
export const dropFarewell = (bytes: Uint8Array): Uint8Array => {
  const end = bytes.subarray(-MOST_FAREWELL);
  const [farewell] = FAREWELL.exec(Buffer.from(end).toString("latin1")) ?? [];
  return farewell === undefined ? bytes : bytes.subarray(0, bytes.length - farewell.length);
};

const measureLine = (line: string): number => {
  const widest = line
    .replace(PAINT, "")
    .split("\r")
    .map((part) => measureWidth(part.replaceAll("\t", " ".repeat(TAB))));
  return Math.max(0, ...widest);
};

const takeLast = (lines: readonly string[], rows: number, columns: number): readonly string[] => {
  let start = lines.length;
  for (let free = rows; start > 0; start--) {
    free -= Math.max(1, Math.ceil(measureLine(lines[start - 1] ?? "") / columns));
    if (free < 0 && start < lines.length) break;
  }
  return lines.slice(start);
};

const eraseEachLine = (rows: number): string =>
  Array.from({ length: rows }, (_value, row) => `\u001b[${row + 1};1H\u001b[2K`).join("");

const CLEAR = new RegExp(`${ESC}\\[H${ESC}\\[2?J`, "g");

/**
 * Many terminals keep what a screen is cleared of, above it. That is right once, for what stood there before; from then on
 * each row is erased, so that no row comes twice.
 */
export const createClearing = (readRows: () => number): ((bytes: Uint8Array) => Uint8Array) => {
  let hasCleared = false;
  const clear = (sequence: string): string => {
    const isFirst = !hasCleared;
    hasCleared = true;
    return isFirst ? sequence : `${eraseEachLine(readRows())}\u001b[H`;
  };
  return (bytes) => Buffer.from(Buffer.from(bytes).toString("latin1").replace(CLEAR, clear), "latin1");
};

/** As much of a log's end as the screen holds, in the place of what it shows, and the cursor below. */
export const paintEnd = (log: string, { rows, columns }: Readonly<{ rows: number; columns: number }>): string => {
  const isWhole = log === "" || log.endsWith("\n");
  const lines = (isWhole ? log.slice(0, -1) : log).split("\n");
  const shown = takeLast(log === "" ? [] : lines, isWhole ? rows - 1 : rows, columns);
  return `\u001b[0m${eraseEachLine(rows)}\u001b[H${shown.map((line) => `${line}\r\n`).join("")}`;
};

/** Where nothing stands on the cursor's line it stays: as many blanks as a line has don't leave an empty one. */
export const moveToFreshLine = (columns: number): string => `\u001b[J${" ".repeat(columns)}\r`;
