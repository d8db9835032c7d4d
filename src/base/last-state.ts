const ESC = "\\u001b";
const REDRAW = new RegExp(`\\r|${ESC}\\[[01]?G`);

/** Of a line in which a program went back to its beginning, as a progress bar does, what it wrote last. */
export const takeLastState = (line: string): string => line.split(REDRAW).findLast((state) => state !== "") ?? "";
