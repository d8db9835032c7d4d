import { escapeText } from "../base/escape-text.ts";
import type { Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import type { Failure } from "./command.ts";
import { failUsage } from "./usage.ts";

/** For a word that stands where only some are known. */
export const refuseWord = (command: string, word: string, known: readonly string[]): Result<never, Failure> => {
  const nearest = suggestNearest(word, known);
  const advice = nearest === null ? `it takes ${known.join(", ")}` : `did you mean ${nearest}?`;
  return failUsage(`"${escapeText(word)}" is nothing that ${command} knows`, advice);
};
