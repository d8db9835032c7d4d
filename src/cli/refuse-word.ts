import type { Result } from "../shared/result.ts";
import { suggestNearest } from "../shared/suggest.ts";
import { failUsage } from "./failure.ts";
import type { Failure } from "./verb.ts";

/** For a word that stands where only some are known. */
export const refuseWord = (command: string, word: string, known: readonly string[]): Result<never, Failure> => {
  const nearest = suggestNearest(word, known);
  const advice = nearest === null ? `it takes ${known.join(", ")}` : `did you mean ${nearest}?`;
  return failUsage(`"${word}" is nothing that ${command} knows; ${advice}`);
};
