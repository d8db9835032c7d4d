import { createFinalLines, readFinalText } from "../../wire/logs/final-lines.ts";
import { chainFilters, createRecorderFilter, type TextFilter } from "../../wire/logs/recorder-filter.ts";
import { createTerminalFilter } from "../terminal/terminal-safety.ts";

/** `pass` gives, where nothing came for a while, what is there of a line. */
export type LogFilter = TextFilter & Readonly<{ pass?: () => string }>;

/** A terminal draws progress bars itself; elsewhere whole lines are passed, each as it was in the end. */
export const createLogFilter = (isTerminal: boolean): LogFilter => {
  if (isTerminal) return chainFilters(createRecorderFilter(), createTerminalFilter());
  const lines = createFinalLines();
  return { ...chainFilters(createRecorderFilter(), lines), pass: lines.pass };
};

export const filterLog = (text: string, isTerminal: boolean): string => {
  if (!isTerminal) return readFinalText(text);
  const filter = createLogFilter(true);
  return filter.push(text) + filter.end();
};
