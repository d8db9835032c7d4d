const FORMULA = /^[=+\-@\t\r]/;
const SPECIAL = /[",\r\n]/;

type Cell = string | number | null;

const writeCell = (cell: Cell): string => {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  const harmless = FORMULA.test(cell) ? `'${cell}` : cell;
  return SPECIAL.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

/** RFC 4180, the last line ended as well. A text that a spreadsheet would take for a formula has an apostrophe before it, null is an empty cell. */
export const writeCsv = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(writeCell).join(",")}\r\n`).join("");
