import { measureWidth } from "../terminal/text-width.ts";

const ESC = "\\u001b";
const LAST_WORDS = "screen is terminating|(?:remote |power )?detached from [^\\]\\r\\n]*";
const FAREWELL = new RegExp(`${ESC}\\[\\d+;1H\\r\\n\\[(?:${LAST_WORDS})\\]\\r\\n$`);
const BEGUN_FAREWELL = new RegExp(`${ESC}\\[\\d+;1H\\r\\n(?:\\[[^\\]\\r\\n]*\\]?\\r?)?$`);
const HELD_MS = 50;
const CLEAR = new RegExp(`${ESC}\\[H${ESC}\\[2?J`, "g");
const MOST_FAREWELL = 300;
const PAINT = new RegExp(`${ESC}\\[[0-9;:]*[mK]`, "g");
const TAB = 8;

const NOTHING = new Uint8Array();

const measureMatch = (bytes: Uint8Array, pattern: RegExp): number =>
  pattern.exec(Buffer.from(bytes.subarray(-MOST_FAREWELL)).toString("latin1"))?.[0].length ?? 0;

/** Passes all but screen's own last words, for which it moves to the last line; nx says how it ended. What may be
 * their beginning waits a moment for the rest, as they come in two pieces. `drop` forgets it. */
export const holdFarewell = (pass: (bytes: Uint8Array) => void): Readonly<{ push: typeof pass; drop: () => void }> => {
  let held: Uint8Array = NOTHING;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const drop = (): void => {
    clearTimeout(timer);
    held = NOTHING;
  };
  const release = (): void => {
    const kept = held;
    drop();
    pass(kept);
  };
  const push = (bytes: Uint8Array): void => {
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    drop();
    const end = all.length - measureMatch(all, FAREWELL);
    const start = end - measureMatch(all.subarray(0, end), BEGUN_FAREWELL);
    if (start > 0) pass(all.subarray(0, start));
    held = all.subarray(start, end);
    if (held.length > 0) timer = setTimeout(release, HELD_MS);
  };
  return { push, drop };
};

const eraseEachLine = (rows: number): string =>
  Array.from({ length: rows }, (_value, row) => `\u001b[${row + 1};1H\u001b[2K`).join("");

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

/** As much of a log's end as the screen holds, in the place of what it shows, and the cursor below. */
export const paintEnd = (log: string, { rows, columns }: Readonly<{ rows: number; columns: number }>): string => {
  const isWhole = log === "" || log.endsWith("\n");
  const lines = (isWhole ? log.slice(0, -1) : log).split("\n");
  const shown = takeLast(log === "" ? [] : lines, isWhole ? rows - 1 : rows, columns);
  return `\u001b[0m${eraseEachLine(rows)}\u001b[H${shown.map((line) => `${line}\r\n`).join("")}`;
};

/** Where nothing stands on the cursor's line it stays: as many blanks as a line has don't leave an empty one. */
export const moveToFreshLine = (columns: number): string => `\u001b[J${" ".repeat(columns)}\r`;

export type Held = Readonly<{ push: (bytes: Uint8Array) => void; release: () => void; drop: () => void }>;

const MAX_HELD_BYTES = 256 * 1024;

/** Keeps what comes back for so long, or until it is much; then everything passes at once. `drop` forgets what is held. */
export const holdOutput = (holdMs: number, pass: (bytes: Uint8Array) => void): Held => {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isHolding = true;
  const drop = (): void => {
    clearTimeout(timer);
    held = [];
    isHolding = false;
  };
  const release = (): void => {
    const kept = held;
    drop();
    for (const bytes of kept) pass(bytes);
  };
  const keep = (bytes: Uint8Array): void => {
    held.push(bytes);
    heldBytes += bytes.byteLength;
    if (heldBytes > MAX_HELD_BYTES) release();
  };
  const timer = setTimeout(release, holdMs);
  const push = (bytes: Uint8Array): void => {
    if (isHolding) keep(bytes);
    else pass(bytes);
  };
  return { push, release, drop };
};
