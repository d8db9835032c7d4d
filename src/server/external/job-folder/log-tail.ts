import type { LogView } from "./log-view.ts";

const MAX_TAIL_BYTES = 10 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;
const ESC = "\\u001b";
const ESCAPE = 27;
const LONGEST_MOVE = 8;
const MOVE = new RegExp(`\\n|${ESC}\\[(\\d{0,5})[AF]`, "g");

type Stretch = Readonly<{ from: number; end: number; missing: number }>;

const findFirstLineStart = async (view: LogView, from: number, end: number): Promise<number> => {
  for (let position = from; position < end; position += BLOCK_BYTES) {
    const block = await view.read(position, Math.min(BLOCK_BYTES, end - position));
    const newline = block.indexOf(NEWLINE);
    if (newline !== -1 && position + newline + 1 < end) return position + newline + 1;
  }
  return from;
};

type Counted = Readonly<{ found: number; start: number }>;

const countFeeds = (block: Uint8Array, missing: number): Counted => {
  let found = 0;
  let at = block.length;
  while (found < missing) {
    at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1);
    if (at === -1) return { found, start: -1 };
    found += 1;
  }
  return { found, start: at + 1 };
};

const countMoves = (text: string, length: number, missing: number): Counted => {
  let found = 0;
  for (const { 0: move, 1: rows, index } of [...text.matchAll(MOVE)].reverse()) {
    if (index >= length) continue;
    found += move === "\n" ? 1 : -(Number(rows) || 1);
    if (found === missing) return { found, start: index + 1 };
  }
  return { found, start: -1 };
};

const countBack = async (view: LogView, { from, end, missing }: Stretch): Promise<Counted> => {
  const block = await view.read(from, end - from);
  if (!block.includes(ESCAPE)) return countFeeds(block, missing);
  const after = await view.read(end, Math.min(LONGEST_MOVE, view.size - end));
  return countMoves(Buffer.concat([block, after]).toString("latin1"), block.length, missing);
};

const findLines = async (view: LogView, lastLines: number | null): Promise<number> => {
  const limit = Math.max(0, view.size - MAX_TAIL_BYTES);
  let missing = lastLines ?? Number.POSITIVE_INFINITY;
  let end = lastLines === null ? limit : view.size - 1;
  while (end > limit) {
    const from = Math.max(limit, end - BLOCK_BYTES);
    const { found, start } = await countBack(view, { from, end, missing });
    if (start !== -1) return from + start;
    missing -= found;
    end = from;
  }
  return limit === 0 ? 0 : findFirstLineStart(view, limit, view.size);
};

/** Of the line that a place is in, or that ends there; of one that is longer than 10 MiB, where these begin. */
export const findLineStart = async (view: LogView, place: number): Promise<number> => {
  const limit = Math.max(0, place - MAX_TAIL_BYTES);
  for (let end = place; end > limit; end -= BLOCK_BYTES) {
    const from = Math.max(limit, end - BLOCK_BYTES);
    const newline = (await view.read(from, end - from)).lastIndexOf(NEWLINE);
    if (newline !== -1) return from + newline + 1;
  }
  return limit;
};

/** Where the last lines begin, of which one that a program went back to counts once, or without a number of them the last 10 MiB, cut at the start of a line if they hold one. */
export const findTailStart = async (view: LogView, lastLines: number | null): Promise<number> =>
  lastLines !== null && lastLines <= 0 ? view.size : findLines(view, lastLines);
