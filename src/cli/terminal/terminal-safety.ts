/** Lets through of a job's output what only paints: nothing that moves, asks, names, copies or switches. */
export type TerminalFilter = Readonly<{ push: (text: string) => string; end: () => string }>;

const ESC = "\\u001b";
const LONGEST_STRING = 4096;
const CSI = `${ESC}\\[[0-?]*[ -/]*[@-~]`;
const STRING_BODY = `[^\\u0007\\u0018\\u001a\\u001b\\u009c\\n]{0,${LONGEST_STRING}}`;
const STRING = `${ESC}[\\]PX^_]${STRING_BODY}(?:\\u0007|${ESC}\\\\|\\u009c)?`;
const OTHER = `${ESC}[ -/]*[0-~]`;
const CONTROL = "[\\u0000-\\u0007\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]";
const UNSAFE = new RegExp(`${CSI}|${STRING}|${OTHER}|${CONTROL}`, "g");
const UNFINISHED = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*|[\\]PX^_]${STRING_BODY}${ESC}?|[ -/]*)$`);
const PAINT = new RegExp(`^${ESC}\\[[0-9;:]*m$`);
const CLEAR_LINE = new RegExp(`^${ESC}\\[[0-2]?K$`);
const NO_PAINT = "\u001b[0m";

/** Colours and the clearing of a line stay, with `\r`, `\b` and tabs, so that progress bars work; the rest is left out. */
export const createTerminalFilter = (): TerminalFilter => {
  let held = "";
  let isPainted = false;
  const judge = (sequence: string): string => {
    const isPaint = PAINT.test(sequence);
    isPainted ||= isPaint;
    return isPaint || CLEAR_LINE.test(sequence) ? sequence : "";
  };
  return {
    push: (text) => {
      const all = held + text;
      const start = all.search(UNFINISHED);
      held = start === -1 ? "" : all.slice(start);
      return all.slice(0, all.length - held.length).replace(UNSAFE, judge);
    },
    end: () => (isPainted ? NO_PAINT : ""),
  };
};

export const makeSafe = (text: string): string => {
  const filter = createTerminalFilter();
  return filter.push(text) + filter.end();
};
