const DELAY_MS = 5;

/** Lines are written together, a few milliseconds late at most; the last ones before the process exits. */
export const createLineBuffer = (write: (text: string) => void): ((line: string) => void) => {
  let lines: string[] = [];
  const flush = (): void => {
    const due = lines;
    lines = [];
    if (due.length > 0) write(due.join(""));
  };
  process.on("exit", flush);
  return (line) => {
    lines.push(line);
    if (lines.length === 1) setTimeout(flush, DELAY_MS);
  };
};
