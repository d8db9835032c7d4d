import { createFinalLines } from "../../wire/logs/final-lines.ts";
import { chainFilters, createRecorderFilter, type TextFilter } from "../../wire/logs/recorder-filter.ts";
import { createTerminalFilter } from "../terminal/terminal-safety.ts";

/** A terminal draws progress bars itself; elsewhere whole lines are passed, each as it was in the end. */
export const createLogFilter = (isTerminal: boolean): TextFilter =>
  chainFilters(createRecorderFilter(), isTerminal ? createTerminalFilter() : createFinalLines());

export const filterLog = (text: string, isTerminal: boolean): string => {
  const filter = createLogFilter(isTerminal);
  return filter.push(text) + filter.end();
};
