/** Text that comes in pieces, changed; `end` gives what was held back. */
export type TextFilter = Readonly<{ push: (text: string) => string; end: () => string }>;

const HEADER = /^Script started on [^\n]*\[[^\n]*\]\r?\n/;
const TRAILER = /^\n?Script done on [^\n]*\[COMMAND_EXIT_CODE="\d+"\]\r?\n?$/;
const ANY_START = [..."Script done on "].reduceRight((rest, letter) => `(?:${letter}${rest})?`, "[^\\n]*\\n?");
const HELD = new RegExp(`(?:(?<!\\r)\\n|(?<=\\r\\n))${ANY_START}$`);
const HELD_FROM_START = new RegExp(`(?:(?<!\\r)\\n|(?<=\\r\\n)|^)${ANY_START}$`);

/** How many lines the recorder adds to the end of a log. */
export const RECORDER_LINES = 2;

const findHeld = (text: string, isLineStart: boolean): number => {
  const start = text.search(isLineStart ? HELD_FROM_START : HELD);
  if (start !== -1) return start;
  return text.endsWith("\r") ? text.length - 1 : text.length;
};

/** Leaves out the first and the last line, which the recorder of the terminal wrote. Nothing else waits for what follows. */
export const createRecorderFilter = (): TextFilter => {
  let held = "";
  let isStart = true;
  let isLineStart = true;

  const push = (text: string): string => {
    held += text;
    if (isStart) {
      if (!held.includes("\n") && "Script started on ".startsWith(held.slice(0, 18))) return "";
      held = held.replace(HEADER, "");
      isStart = false;
    }
    const shown = held.slice(0, findHeld(held, isLineStart));
    held = held.slice(shown.length);
    if (shown !== "") isLineStart = shown.endsWith("\r\n");
    return shown;
  };

  return { push, end: () => held.replace(HEADER, isStart ? "" : "$&").replace(TRAILER, "") };
};

/** One filter behind the other. */
export const chainFilters = (first: TextFilter, second: TextFilter): TextFilter => ({
  push: (text) => second.push(first.push(text)),
  end: () => second.push(first.end()) + second.end(),
});
