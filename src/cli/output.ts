import { FAILED } from "./failure.ts";
import { isTerminal } from "./terminal.ts";

const useColor = (): boolean => {
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

export const hint = (text: string): void => {
  console.error(text);
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

const CONTROL = /\p{Cc}/gu;

const escapeCharacter = (character: string): string => {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
};

/** What a job or a user wrote, made harmless for a terminal and for a table of one line a row. */
export const escapeText = (text: string): string => text.replace(CONTROL, escapeCharacter);

const truncate = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

const PIPE_WIDTH = 10_000;
const GAP = 2;

const terminalWidth = (): number => (isTerminal("output") ? (process.stdout.columns ?? 80) : PIPE_WIDTH);

/** The last column takes what the terminal has left. */
export const printTable = (header: readonly string[], rows: readonly (readonly string[])[]): void => {
  const cells = rows.map((row) => row.map(escapeText));
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const fixed = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, 0);
  const last = Math.max(10, terminalWidth() - fixed);
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === header.length - 1 ? truncate(cell, last) : cell.padEnd((widths[column] ?? 0) + GAP),
      )
      .join("");
  print(dim(render(header)));
  for (const row of cells) print(render(row));
};
