const ESC = "\\u001b";
const REDRAW = new RegExp(`\\r|${ESC}\\[[01]?G`);

const isDrawnOnce = (line: string, end: number): boolean =>
  (end === -1 || end === line.length - 1) && !line.includes("\u001b[");

/** Of a line in which a program went back to its beginning, as a progress bar does, what it wrote last. */
export const takeLastState = (line: string): string => {
  const end = line.indexOf("\r");
  if (isDrawnOnce(line, end)) return end === -1 ? line : line.slice(0, end);
  return line.split(REDRAW).findLast((state) => state !== "") ?? "";
};
