import { escapeText } from "../base/escape-text.ts";
import { ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Program, type Verb } from "./command.ts";
import { findMeantLine } from "./find-meant.ts";
import { findFirstWord, parseWords } from "./parse-words.ts";
import { failUsage } from "./usage.ts";

const adviseVerb = (name: string, { name: program, verbs, foreign }: Program): string => {
  const others = foreign?.verbs ?? {};
  const nearest = suggestNearest(name, [...Object.keys(verbs), "help"], Object.keys(others));
  if (nearest === null) return `see ${program} help`;
  return others[nearest] ?? `did you mean ${nearest}?`;
};

const loadVerb = async (name: string, program: Program): Promise<Result<Verb, Failure>> => {
  const load = Object.hasOwn(program.verbs, name) ? program.verbs[name] : undefined;
  if (load !== undefined) return ok((await load()).verb);
  return failUsage(`"${escapeText(name)}" is not a verb of ${program.name}`, adviseVerb(name, program));
};

const describeAll = async (name: string | undefined, program: Program): Promise<Outcome> => {
  const verb = name === undefined ? ok(null) : await loadVerb(name, program);
  if (!verb.ok) return verb;
  const { describeProgram } = await import("./describe-program.ts");
  console.log(JSON.stringify(await describeProgram(program, name), null, 2));
  return DONE;
};

const showHelp = async (name: string | undefined, program: Program): Promise<Outcome> => {
  const { renderHelp, renderVerbHelp } = await import("./help.ts");
  if (name === undefined) {
    console.log(await renderHelp(program));
    return DONE;
  }
  const verb = await loadVerb(name, program);
  if (verb.ok) console.log(renderVerbHelp(verb.value, program));
  return verb.ok ? DONE : verb;
};

const showOneHelp = async (words: readonly string[], at: number, program: Program): Promise<Outcome> => {
  const [named, extra] = words.slice(at + 1).filter((word) => !word.startsWith("-"));
  const name = named === "help" ? undefined : named;
  if (extra !== undefined) return failUsage(`${program.name} help takes one verb, not "${escapeText(extra)}" too`);
  return words.includes("--json") ? describeAll(name, program) : showHelp(name, program);
};

const refuseLateVerb = async (word: string, program: Program): Promise<Outcome> => {
  const verb = await loadVerb(word, program);
  return verb.ok ? failUsage(`the verb comes before the flags, as in: ${program.name} ${word} …`) : verb;
};

const addMeant = (invocation: Invocation, verb: Verb, program: Program): Invocation => {
  const command = verb.isCommand === true ? invocation.words : invocation.command;
  const meant = command === undefined ? null : findMeantLine(command, verb, program);
  return meant === null ? invocation : { ...invocation, meant };
};

const callVerb = async (words: readonly string[], at: number, program: Program): Promise<Outcome> => {
  const name = words[at];
  const verb = name === undefined ? ok((await program.withoutVerb()).verb) : await loadVerb(name, program);
  if (!verb.ok) return verb;
  const parsed = parseWords(words.toSpliced(at, 1), verb.value, program);
  if (!parsed.ok) return parsed;
  const late = name === undefined ? parsed.value.words[0] : undefined;
  const { help, json } = parsed.value.flags;
  if (help === true) return json === true ? describeAll(name ?? late, program) : showHelp(name ?? late, program);
  if (late !== undefined) return refuseLateVerb(late, program);
  return verb.value.run(addMeant(parsed.value, verb.value, program));
};

const findVerb = (words: readonly string[], { flags, isVerbFirst }: Program): number =>
  isVerbFirst === true && words[0]?.startsWith("-") ? words.length : findFirstWord(words, flags);

/** Does what the words say. What the verb prints is on standard output; why it failed is left to the caller to tell. */
export const runProgram = async (words: readonly string[], program: Program): Promise<Outcome> => {
  const at = findVerb(words, program);
  if (words[at] === "help") return showOneHelp(words, at, program);
  if (at >= words.length && words.includes("--version")) return callVerb(["version"], 0, program);
  return callVerb(words, at, program);
};
