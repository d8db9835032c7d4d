const HEADER = /^Script started on [^\n]*\[[^\n]*\]\r?\n/;
const TRAILER = /\r?\n?\nScript done on [^\n]*\[COMMAND_EXIT_CODE="\d+"\]\r?\n?$/;
const TRAILER_START = "\nScript done on ";
const MAX_TRAILER = 200;

export type LogFilter = Readonly<{ push: (text: string) => string; end: () => string }>;

const joinLines = (text: string, isTerminal: boolean): string => (isTerminal ? text : text.replaceAll("\r\n", "\n"));

const findHeld = (text: string): number => {
  const trailer = text.lastIndexOf(TRAILER_START, text.length);
  const from = Math.max(0, text.length - MAX_TRAILER);
  const start = trailer >= from ? trailer : text.length - longestStart(text);
  const before = text.slice(0, start);
  return before.endsWith("\r") ? start - 1 : start;
};

const longestStart = (text: string): number => {
  for (let length = Math.min(TRAILER_START.length, text.length); length > 0; length--) {
    if (text.endsWith(TRAILER_START.slice(0, length))) return length;
  }
  return 0;
};

/** Leaves out the first and the last line, which the recorder of the terminal wrote. */
export const createLogFilter = (isTerminal: boolean): LogFilter => {
  let held = "";
  let isStart = true;

  const push = (text: string): string => {
    held += text;
    if (isStart) {
      if (!held.includes("\n") && "Script started on ".startsWith(held.slice(0, 18))) return "";
      held = held.replace(HEADER, "");
      isStart = false;
    }
    const shown = held.slice(0, findHeld(held));
    held = held.slice(shown.length);
    return joinLines(shown, isTerminal);
  };

  const end = (): string => joinLines(held.replace(HEADER, isStart ? "" : "$&").replace(TRAILER, ""), isTerminal);

  return { push, end };
};

export const filterLog = (text: string, isTerminal: boolean): string => {
  const filter = createLogFilter(isTerminal);
  return filter.push(text) + filter.end();
};
