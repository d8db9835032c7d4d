import type { LogView } from "./log-view.ts";

const MAX_TAIL_BYTES = 10 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;

const findFirstLineStart = async (view: LogView, from: number, end: number): Promise<number> => {
  for (let position = from; position < end; position += BLOCK_BYTES) {
    const block = await view.read(position, Math.min(BLOCK_BYTES, end - position));
    const newline = block.indexOf(NEWLINE);
    if (newline !== -1 && position + newline + 1 < end) return position + newline + 1;
  }
  return from;
};

const countBack = (block: Uint8Array, missing: number): Readonly<{ found: number; start: number }> => {
  let found = 0;
  let at = block.length;
  while (found < missing) {
    at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1);
    if (at === -1) return { found, start: -1 };
    found += 1;
  }
  return { found, start: at + 1 };
};

const findLines = async (view: LogView, lastLines: number | null): Promise<number> => {
  const limit = Math.max(0, view.size - MAX_TAIL_BYTES);
  let missing = lastLines ?? Number.POSITIVE_INFINITY;
  let end = lastLines === null ? limit : view.size - 1;
  while (end > limit) {
    const from = Math.max(limit, end - BLOCK_BYTES);
    const { found, start } = countBack(await view.read(from, end - from), missing);
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

/** Where the last lines begin, or without a number of them the last 10 MiB, cut at the start of a line if they hold one. */
export const findTailStart = async (view: LogView, lastLines: number | null): Promise<number> =>
  lastLines !== null && lastLines <= 0 ? view.size : findLines(view, lastLines);
