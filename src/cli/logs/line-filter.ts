import type { MatchText } from "../../mcp/text-matcher.ts";
import { createFinalLines, splitLines } from "../../wire/logs/final-lines.ts";
import { chainFilters, createRecorderFilter, type TextFilter } from "../../wire/logs/recorder-filter.ts";

type Lines = Readonly<{ matches: MatchText; render: (line: string) => string }>;

const renderLines = (text: string, { matches, render }: Lines): string =>
  splitLines(text).filter(matches).map(render).join("");

/** A log line by line, of which those that match are passed on. */
export const createLineFilter = (lines: Lines): TextFilter =>
  chainFilters(
    createRecorderFilter(),
    chainFilters(createFinalLines(), {
      push: (text) => renderLines(text, lines),
      end: () => "",
    }),
  );

/** A line of JSON for each line of a log. */
export const renderJsonLine = (line: string): string => `${JSON.stringify({ line })}\n`;

export const filterLines = (text: string, matches: MatchText): string =>
  renderLines(text, { matches, render: (line) => `${line}\n` });
