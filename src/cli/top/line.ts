import { escapeText } from "../../base/escape-text.ts";
import { measureWidth, truncateText } from "../terminal/text-width.ts";

export type Style = "plain" | "bold" | "dim" | "red" | "green" | "yellow" | "selected";

export type Span = Readonly<{ text: string; style: Style }>;

/** A row of the screen. */
export type Line = readonly Span[];

const CODES: Readonly<Record<Style, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  selected: "7",
};

/** All text of a screen comes through here, so none of it can control the terminal. */
export const span = (text: string, style: Style = "plain"): Span => ({ text: escapeText(text), style });

export const EMPTY: Line = [];

/** Cut at a width. */
export const fitLine = (line: Line, width: number): Line => {
  let left = width;
  const fitted: Span[] = [];
  for (const { text, style } of line) {
    if (left <= 0) break;
    const shown = truncateText(text, left);
    left -= measureWidth(shown);
    fitted.push({ text: shown, style });
  }
  return fitted;
};

export const readLine = (line: Line): string =>
  line
    .map(({ text }) => text)
    .join("")
    .trimEnd();

const paintSpan = ({ text, style }: Span): string =>
  CODES[style] === "" ? text : `\u001b[${CODES[style]}m${text}\u001b[0m`;

/** As bytes for a terminal, or as plain text for one that wants no colours. */
export const paintLine = (line: Line, hasColors: boolean): string =>
  hasColors ? line.map(paintSpan).join("").trimEnd() : readLine(line);

const CLEAR = "\u001b[2J";

const placeRow = (row: number, text: string): string => `\u001b[${row + 1};1H\u001b[2K${text}`;

/** What a terminal that shows `shown` must be sent to show `wanted`; all of it when it is not known what it shows. */
export const diffScreen = (shown: readonly string[] | null, wanted: readonly string[]): string => {
  const changed = wanted.flatMap((text, row) => (shown?.[row] === text ? [] : [placeRow(row, text)]));
  return (shown === null ? CLEAR : "") + changed.join("");
};
