import { err, ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import type { Failure, Outcome, Verb } from "../command-line/command.ts";
import { readSwitch } from "../command-line/flag-values.ts";
import { findFirstWord, GLOBAL_FLAGS, parseWords } from "../command-line/parse-words.ts";
import { failUsage } from "../command-line/usage.ts";
import { hint, print } from "./terminal/output.ts";
import { VERBS } from "./verb-table.ts";

type Call = Readonly<{ verb: Verb; words: readonly string[] }>;

const STATUS_FLAGS = [...GLOBAL_FLAGS, { long: "json", help: "" }];

const loadVerb = async (name: string): Promise<Result<Verb, Failure>> => {
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (load !== undefined) return ok((await load()).verb);
  const nearest = suggestNearest(name, [...Object.keys(VERBS), "help"]);
  return failUsage(`"${name}" is not a verb of nx; ${nearest === null ? "see nx help" : `did you mean ${nearest}?`}`);
};

const chooseVerb = async (words: readonly string[]): Promise<Result<Call, Failure>> => {
  const first = findFirstWord(words, STATUS_FLAGS);
  const name = words[first];
  const verb = await loadVerb(name ?? "status");
  return verb.ok ? ok({ verb: verb.value, words: words.filter((_word, index) => index !== first) }) : verb;
};

const showHelp = async (name: string | undefined): Promise<Outcome> => {
  if (name === undefined) {
    print(await (await import("./help.ts")).renderHelp());
    return ok(0);
  }
  const verb = await loadVerb(name);
  if (!verb.ok) return verb;
  const { renderVerbHelp } = await import("../command-line/help.ts");
  print(renderVerbHelp(verb.value));
  return ok(0);
};

const callVerb = async (words: readonly string[]): Promise<Outcome> => {
  const call = await chooseVerb(words);
  if (!call.ok) return call;
  const parsed = parseWords(call.value.words, call.value.verb);
  if (!parsed.ok) return parsed;
  return readSwitch(parsed.value.flags, "help") ? showHelp(call.value.verb.name) : call.value.verb.run(parsed.value);
};

const findHelp = (words: readonly string[]): number => {
  if (words[0] === "--help" || words[0] === "-h") return 0;
  const first = findFirstWord(words, STATUS_FLAGS);
  return words[first] === "help" ? first : -1;
};

const printCompletions = async (words: readonly string[]): Promise<Outcome> => {
  const { completeWords } = await import("./complete-words.ts");
  await completeWords(words);
  return ok(0);
};

const showOneHelp = async ([name, extra = "-"]: readonly string[]): Promise<Outcome> =>
  extra.startsWith("-") ? showHelp(name) : failUsage(`nx help takes one verb, not "${extra}" too`);

const runProgram = (words: readonly string[]): Promise<Outcome> => {
  if (words[0] === "__complete") return printCompletions(words.slice(1));
  const help = findHelp(words);
  if (help !== -1) return showOneHelp(words.slice(help + 1));
  return callVerb(words[0] === "--version" ? ["version"] : words);
};

const outcome = await runProgram(process.argv.slice(2)).catch(
  (error: unknown): Outcome =>
    err({ exitCode: 1, message: `unexpected: ${error instanceof Error ? error.stack : String(error)}` }),
);
if (!outcome.ok) hint(`nx: ${outcome.error.message}`);
process.exitCode = outcome.ok ? outcome.value : outcome.error.exitCode;
