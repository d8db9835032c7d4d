import { escapeText } from "../../base/escape-text.ts";
import { measureWidth, padText, truncateText } from "../terminal/text-width.ts";
import { type Line, type Style, span } from "./line.ts";

/**
 * A column is left out on a terminal that is narrower than `from`; without a width it takes what is left, and `fit` gives its text, harmless
 * for a terminal, in that.
 */
export type Column<Row> = Readonly<{
  title: string;
  width?: number;
  from?: number;
  alignRight?: boolean;
  read: (row: Row) => string;
  fit?: (row: Row, width: number) => string;
  style?: (row: Row) => Style;
}>;

const GAP = "  ";
const MARK = 1;
const LONGEST_CELL = 400;

const chooseColumns = <Row>(columns: readonly Column<Row>[], total: number): readonly Column<Row>[] =>
  columns.filter(({ from = 0 }) => total >= from);

const sumWidths = <Row>(columns: readonly Column<Row>[]): number =>
  columns.reduce((sum, { width }) => sum + (width === undefined ? 0 : width + GAP.length), MARK);

const fitCell = (text: string, column: Pick<Column<never>, "width" | "alignRight">, rest: number): string => {
  const shown = escapeText(text.slice(0, LONGEST_CELL));
  if (column.width === undefined) return truncateText(shown, Math.max(1, rest));
  if (column.alignRight !== true) return padText(shown, column.width);
  const cut = truncateText(shown, column.width);
  return " ".repeat(Math.max(0, column.width - measureWidth(cut))) + cut;
};

export const renderHead = <Row>(columns: readonly Column<Row>[], total: number): Line => {
  const chosen = chooseColumns(columns, total);
  const rest = total - sumWidths(chosen);
  return [span(` ${chosen.map((column) => fitCell(column.title, column, rest)).join(GAP)}`, "dim")];
};

/** The row that is selected bears a mark, so that it is known without colours too. */
export const renderRow = <Row>(columns: readonly Column<Row>[], row: Row, total: number, isSelected = false): Line => {
  const chosen = chooseColumns(columns, total);
  const rest = total - sumWidths(chosen);
  const cells = chosen.map((column, index) => {
    const gap = index === 0 ? "" : GAP;
    const text = gap + (column.fit?.(row, Math.max(1, rest)) ?? fitCell(column.read(row), column, rest));
    return span(text, isSelected ? "selected" : (column.style?.(row) ?? "plain"));
  });
  return [span(isSelected ? ">" : " ", isSelected ? "selected" : "plain"), ...cells];
};
