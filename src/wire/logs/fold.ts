import { takeLastState } from "../../base/last-state.ts";
import { eraseBelow, type LogRow, moveRows, type RowWindow, trimRows, writeRows } from "./row-window.ts";

/** `out` is what was passed on; the last `held` rows above the cursor are not, and of the first row some is, if it is begun. */
export type Fold = RowWindow & Readonly<{ held: number; isBegun: boolean; out: string }>;

/** How many rows back a program may draw anew. */
export const MOST_ROWS = 64;

const MOST_HELD = 256 * 1024;
const ESC = "\\u001b";
const ERASED_FIRST = new RegExp(`^(?:${ESC}\\[[0-2]?[JK])+(?=.)`, "s");
const SEQUENCE = new RegExp(`(${ESC}\\[(?:\\d{0,5}[ABEF]|0?J))`);

export const startFold = (held: number): Fold => ({ rows: [""], at: 0, held, isBegun: false, out: "" });

const keepState = (line: string): string => (line.endsWith("\r") ? `${takeLastState(line)}\r` : takeLastState(line));

const isRedrawn = (line: string): boolean => takeLastState(line) !== line.replace(/(?<!\r)\r+$/, "");

const showState = (row: string): string => {
  const state = takeLastState(row);
  return state.startsWith("\u001b") ? state.replace(ERASED_FIRST, "") : state;
};

const renderRows = (rows: readonly LogRow[]): string => {
  const lines = rows.filter((row) => row !== null).map(showState);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
};

const take = (fold: Fold, count: number): Fold => {
  if (count <= 0) return fold;
  const taken = fold.rows.slice(0, count);
  const start = fold.isBegun && isRedrawn(taken[0] ?? "") ? "\n" : "";
  const left = { rows: fold.rows.slice(count), at: fold.at - count };
  return { ...fold, ...left, isBegun: false, out: fold.out + start + renderRows(taken) };
};

const passAll = (fold: Fold): Fold => {
  const above = take(fold, fold.at);
  const [text = null] = above.rows;
  if (text === null) return above;
  return { ...above, rows: above.rows.with(0, ""), isBegun: above.isBegun || text !== "", out: above.out + text };
};

const limit = (fold: Fold): Fold => {
  const { rows, at } = fold;
  const row = rows[at] ?? "";
  if (row.length <= MOST_HELD) return fold;
  const kept = { ...fold, rows: rows.with(at, keepState(row)) };
  return (kept.rows[at] ?? "").length > MOST_HELD ? passAll(kept) : kept;
};

const write = (fold: Fold, text: string): Fold => {
  const written = { ...fold, ...writeRows(fold, text) };
  return limit(take(written, written.at - written.held));
};

const passFirst = (fold: Fold): Fold => {
  const passed = take({ ...fold, at: 0 }, 1);
  return { ...passed, rows: [null, ...passed.rows], at: fold.at };
};

const readMove = (sequence: string): number => {
  const count = Number(/\d+/.exec(sequence)?.[0] ?? 1) || 1;
  return /[AF]$/.test(sequence) ? -count : count;
};

const move = (fold: Fold, sequence: string): Fold => {
  if (sequence.endsWith("J")) return { ...fold, ...eraseBelow(fold) };
  const by = readMove(sequence);
  if (by > 0) return { ...fold, ...moveRows(fold, by, MOST_ROWS) };
  const closed = fold.isBegun ? passFirst(fold) : fold;
  return { ...closed, ...moveRows(closed, by, MOST_ROWS), held: MOST_ROWS };
};

export const foldText = (fold: Fold, text: string): Fold => {
  if (!text.includes("\u001b[")) return write(fold, text);
  const pieces = text.split(SEQUENCE);
  return pieces.reduce((next, piece, index) => (index % 2 === 0 ? write(next, piece) : move(next, piece)), fold);
};

/** Where the cursor stands at the end, in a line that was not drawn anew, all is passed, and as many rows held anew as at the start. */
export const passFold = (fold: Fold, held: number): Fold => {
  const { rows, at } = trimRows(fold);
  const isQuiet = at === rows.length - 1 && !(rows[at] ?? "").includes("\r");
  return isQuiet ? { ...passAll({ ...fold, rows, at }), held } : fold;
};

/** All that was not passed; the last line has no end. */
export const showRest = (fold: Fold): string => {
  const { rows } = trimRows(fold);
  const { out } = take({ ...fold, rows }, rows.length);
  return rows.at(-1) === null ? out : out.slice(0, -1);
};
