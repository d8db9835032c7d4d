import { keepFinalLines } from "../../../wire/logs/final-lines.ts";

const ESCAPE_SEQUENCE = new RegExp(
  ["\\u001b\\[[0-?]*[ -/]*[@-~]", "\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)", "\\u001b[@-Z\\\\-_]"].join(
    "|",
  ),
  "g",
);
const UNSAFE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const ELLIPSIS = "…";

const RECORDER_START = /^Script started on [^\n]*\[[^\n]*\]\r?\n/;
const RECORDER_END = /\n?Script done on [^\n]*\[COMMAND_EXIT_CODE="\d+"\]\r?\n?$/;

/** A log without the first and the last line, which the recorder of the terminal writes. */
export const cutRecorder = (log: string): string => log.replace(RECORDER_START, "").replace(RECORDER_END, "");

/** What a terminal would show in the end, line by line: no colours, no control characters, progress bars at their last state, wherever they are drawn. */
export const toPlainLines = (text: string): readonly string[] =>
  keepFinalLines(text)
    .replaceAll(ESCAPE_SEQUENCE, "")
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.replaceAll("\t", "    ").replaceAll(UNSAFE, ""));

const isHighSurrogate = (text: string, at: number): boolean => /[\ud800-\udbff]/.test(text[at] ?? "");

/** At most `limit` UTF-16 units from the start, with an ellipsis when something is left out; no character is cut in two. */
export const clipEnd = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const end = limit - ELLIPSIS.length;
  return text.slice(0, isHighSurrogate(text, end - 1) ? end - 1 : end) + ELLIPSIS;
};

/** As `clipEnd`, but keeps the end. */
export const clipStart = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const start = text.length - limit + ELLIPSIS.length;
  return ELLIPSIS + text.slice(isHighSurrogate(text, start - 1) ? start + 1 : start);
};
