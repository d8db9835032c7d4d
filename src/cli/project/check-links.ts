import { posix } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import { quoteWord } from "../../base/quote-word.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import type { Snapshot } from "../code/code-snapshot.ts";
import { findTravelling } from "../code/travelling-files.ts";
import { isSameMachine } from "../connection/same-machine.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { listCommandWords } from "./command-words.ts";
import { findIgnoredWords } from "./ignored-words.ts";

type Files = Pick<Snapshot, "top" | "subFolder" | "travelling">;

const SHOWN = 3;

const listSome = (names: readonly string[]): string => {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
};

const warnOfIgnored = async (
  requests: readonly JobRequestInput[],
  links: readonly string[],
  files: Files,
  target: Target,
): Promise<void> => {
  const found = findIgnoredWords(listCommandWords(requests.map(({ command }) => command)), links, files);
  if (found.length === 0) return;
  const place = (await isSameMachine(target)) ? "" : "=/ABSOLUTE/PATH/THERE";
  const nameFromHere = (path: string): string => posix.relative(files.subFolder, path);
  const flags = [...new Set(found.map(({ ignored }) => nameFromHere(ignored)))].map(
    (path) => `--link ${quoteWord(path)}${place}`,
  );
  const names = listSome(found.map(({ path }) => nameFromHere(path)));
  const [are, does] = found.length === 1 ? ["is", "does"] : ["are", "do"];
  hint(
    escapeText(
      `Warning: ${names} ${are} ignored by git and ${does} not travel; the job sees what is here with ${flags.slice(0, SHOWN).join(" ")}`,
    ),
  );
};

/** Refuses a link where something that travels would be; warns of what a command names that does not travel. */
export const checkLinks = async (
  files: Files,
  requests: readonly JobRequestInput[],
  target: Target,
): Promise<Result<void, Failure>> => {
  const links = (requests[0]?.links ?? []).map(({ path }) => path);
  for (const path of links) {
    const found = findTravelling(files.travelling, path);
    const what = found === path ? "it" : found;
    if (found !== null) return failUsage(escapeText(`${path} can't be linked: ${what} travels with the code`));
  }
  await warnOfIgnored(requests, links, files, target);
  return ok(undefined);
};
