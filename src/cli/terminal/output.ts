import { escapeText } from "../../base/escape-text.ts";
import { FAILED } from "../../command-line/usage.ts";
import { isTerminal } from "./is-terminal.ts";
import { readColumns } from "./light-files.ts";
import { measureWidth, padText, truncateText, wrapWords } from "./text-width.ts";

export const useColor = (): boolean => {
  if (process.env["NO_COLOR"]) return false;
  if (process.env["FORCE_COLOR"]) return process.env["FORCE_COLOR"] !== "0";
  return isTerminal("output") && process.env["TERM"] !== "dumb";
};

const paint =
  (code: number) =>
  (text: string): string =>
    useColor() ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

export const print = (text: string): void => {
  console.log(text);
};

const STANDARD_ERROR = 2;

let collected: string[] | null = null;

/** What is said meanwhile is given back instead of shown. One at a time. */
export const collectHints = async <Value>(work: () => Promise<Value>): Promise<readonly [Value, readonly string[]]> => {
  const notes: string[] = [];
  collected = notes;
  try {
    return [await work(), notes];
  } finally {
    collected = null;
  }
};

/** `console.error` paints what it writes on a terminal. */
export const hint = (text: string): void => {
  if (collected !== null) collected.push(text);
  else if (isTerminal("errors")) process.getBuiltinModule("node:fs").writeSync(STANDARD_ERROR, `${text}\n`);
  else console.error(text);
};

const BROKEN_PIPE = 141;

let openOutput = (): NodeJS.WriteStream => {
  const stream = process.stdout;
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? BROKEN_PIPE : FAILED));
  openOutput = () => stream;
  return stream;
};

/** For what a job printed: bytes or text as they are. Opening the stream takes longer than a whole verb. */
export const write = (text: string | Uint8Array): void => {
  openOutput().write(text);
};

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

const PIPE_WIDTH = 10_000;
const USUAL_WIDTH = 80;
const GAP = 2;
const MIN_LAST = 10;
const MAX_COLUMN = 20;

let readTerminalWidth = (): number => {
  const width = readColumns() ?? USUAL_WIDTH;
  readTerminalWidth = () => width;
  return width;
};

const readWidth = (): number => (isTerminal("output") ? readTerminalWidth() : PIPE_WIDTH);

/** Of what is said beside the results, in columns; where that is no terminal, wider than any line for people. */
export const readHintWidth = (): number => (isTerminal("errors") ? readTerminalWidth() : PIPE_WIDTH);

const LEAST_FOLD = 20;

/** What stands behind an indentation: at words on as many lines as the terminal needs for it. */
export const hangText = (text: string, indent: number): string => {
  const lines = wrapWords(text, Math.max(LEAST_FOLD, readWidth() - indent));
  return lines.join(`\n${" ".repeat(indent)}`);
};

const measureColumns = (rows: readonly (readonly string[])[], total: number): readonly number[] => {
  const widest = total === PIPE_WIDTH ? PIPE_WIDTH : MAX_COLUMN;
  const columns = (rows[0] ?? []).slice(0, -1);
  const widths = columns.map((_name, column) =>
    Math.min(
      widest,
      rows.reduce((width, row) => Math.max(width, measureWidth(row[column] ?? "")), 0),
    ),
  );
  const fixed = widths.reduce((sum, width) => sum + width + GAP, 0);
  return [...widths, Math.max(MIN_LAST, total - fixed)];
};

/** `fitLast` gives the last cell of a row in a width, harmless for a terminal; `notes[N]` stands under row N, whole. */
export type TableForm = Readonly<{
  fitLast?: (row: number, width: number) => string;
  notes?: readonly (string | null)[];
}>;

/** The last column takes what the terminal has left. */
export const printTable = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { fitLast, notes = [] }: TableForm = {},
): void => {
  const cells = rows.map((row) => row.map(escapeText));
  const widths = measureColumns([header, ...cells], readWidth());
  const last = header.length - 1;
  const lastWidth = widths[last] ?? MIN_LAST;
  const render = (row: readonly string[], lastCell: string): string =>
    [...row.slice(0, last).map((cell, column) => padText(cell, widths[column] ?? 0)), lastCell].join(" ".repeat(GAP));
  print(dim(render(header, header[last] ?? "")));
  for (const [index, row] of cells.entries()) {
    print(render(row, fitLast?.(index, lastWidth) ?? truncateText(row[last] ?? "", lastWidth)));
    const note = notes[index] ?? null;
    if (note !== null) print(" ".repeat((widths[0] ?? 0) + GAP) + escapeText(note));
  }
};
