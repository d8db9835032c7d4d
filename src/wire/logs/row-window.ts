import { takeLastState } from "../../base/last-state.ts";

/** What was written to a row; null for one that was passed on and not drawn anew since. */
export type LogRow = string | null;

/** The last rows of a log, and at which of them a program writes. */
export type RowWindow = Readonly<{ rows: readonly LogRow[]; at: number }>;

const ESC = "\\u001b";
const ERASED = new RegExp(`^(?:${ESC}\\[[0-2]?[JK])+`);

const readState = (row: LogRow): LogRow => row && takeLastState(row).replace(ERASED, "");

const isBlank = (row: LogRow): boolean => (readState(row) ?? "").trim() === "";

const isLast = ({ rows, at }: RowWindow): boolean => at === rows.length - 1;

const append = ({ rows, at }: RowWindow, text: string): RowWindow => {
  const row = rows[at] ?? null;
  const isNothing = row === null && /^\r*$/.test(text);
  return isNothing ? { rows, at } : { rows: rows.with(at, (row ?? "") + text), at };
};

const enter = (rows: readonly LogRow[], at: number): RowWindow => {
  const row = rows[at] ?? null;
  if (row === null) return { rows, at };
  return { rows: rows.with(at, isBlank(row) ? "" : `${row}\r`), at };
};

const goTo = ({ rows, at }: RowWindow, next: number): RowWindow =>
  enter(rows.with(at, readState(rows[at] ?? null)), next);

const writeBelow = (window: RowWindow, text: string): RowWindow => {
  const end = text.indexOf("\n");
  if (end === -1) return append(window, text);
  const { rows, at } = append(window, text.slice(0, end));
  const lines = text.slice(end + 1).split("\n");
  return { rows: rows.concat(lines), at: at + lines.length };
};

/** A row that stands there is drawn anew from its beginning. */
export const writeRows = (window: RowWindow, text: string): RowWindow => {
  let next = window;
  let rest = text;
  while (!isLast(next)) {
    const end = rest.indexOf("\n");
    if (end === -1) return append(next, rest);
    const line = append(next, rest.slice(0, end));
    next = goTo(line, line.at + 1);
    rest = rest.slice(end + 1);
  }
  return rest === "" ? next : writeBelow(next, rest);
};

/** No further up from the last row than `most`. Rows above those that are known were passed on. */
export const moveRows = ({ rows, at }: RowWindow, by: number, most: number): RowWindow => {
  const last = rows.length - 1;
  const next = Math.min(last, Math.max(at + by, Math.min(at, last - most)));
  const missing = Math.max(0, -next);
  const known = [...new Array<LogRow>(missing).fill(null), ...rows];
  return goTo({ rows: known, at: at + missing }, next + missing);
};

/** As `ESC[J` does. */
export const eraseBelow = ({ rows, at }: RowWindow): RowWindow =>
  append({ rows: rows.slice(0, at + 1), at }, "\u001b[J");

/** Without the rows below that nothing stands in. */
export const trimRows = ({ rows, at }: RowWindow): RowWindow => {
  const last = rows.findLastIndex((row) => !isBlank(row));
  return { rows: rows.slice(0, Math.max(at, last) + 1), at };
};
