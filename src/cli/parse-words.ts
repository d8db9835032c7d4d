import { parseArgs } from "node:util";
import { ok, type Result } from "../shared/result.ts";
import { failUsage } from "./failure.ts";
import { suggestNearest } from "./suggest.ts";
import type { Failure, Flag, FlagValues, Invocation, Verb } from "./verb.ts";

export const GLOBAL_FLAGS: readonly Flag[] = [
  { long: "target", short: "t", value: "NAME", help: "the server to talk to" },
  { long: "no-autostart", help: "don't start a local server when none is there" },
  { long: "help", short: "h", help: "this text" },
];

type Options = Readonly<Record<string, { type: "string" | "boolean"; multiple?: boolean; short?: string }>>;

const toOptions = (flags: readonly Flag[]): Options =>
  Object.fromEntries(
    flags.map(({ long, short, value, many }) => [
      long,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        ...(many === true ? { multiple: true } : {}),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );

const takesNextWord = (word: string, flags: readonly Flag[]): boolean => {
  if (word.startsWith("--"))
    return !word.includes("=") && flags.some((flag) => flag.value && `--${flag.long}` === word);
  const letters = word.slice(1);
  const position = [...letters].findIndex((letter) => flags.some((flag) => flag.value && flag.short === letter));
  return position !== -1 && position === letters.length - 1;
};

/** Where the first word stands that is neither a flag nor a flag's value. */
export const findFirstWord = (words: readonly string[], flags: readonly Flag[]): number => {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return index + 1;
    if (!word.startsWith("-") || word === "-") return index;
    if (takesNextWord(word, flags)) index++;
  }
  return words.length;
};

const findChoices = (word: string, flags: readonly Flag[]): readonly string[] =>
  flags.find(({ long, short }) => word === `--${long}` || word === `-${short}`)?.choices ?? [];

const joinChoices = (words: readonly string[], flags: readonly Flag[]): readonly string[] => {
  const joined: string[] = [];
  let choices: readonly string[] = [];
  for (const word of words) {
    const isFurther = choices.includes(word) && choices.includes(joined.at(-1)?.split(",").at(-1) ?? "");
    if (isFurther) joined.push(`${joined.pop()},${word}`);
    else joined.push(word);
    if (!choices.includes(word)) choices = findChoices(word, flags);
  }
  return joined;
};

const joinNegativeValues = (words: readonly string[], flags: readonly Flag[]): readonly string[] =>
  words.flatMap((word, index) => {
    const previous = words[index - 1] ?? "";
    if (index > 0 && /^-\d+$/.test(word) && takesNextWord(previous, flags)) return [];
    const next = words[index + 1] ?? "";
    if (!/^-\d+$/.test(next) || !takesNextWord(word, flags)) return [word];
    return [word.startsWith("--") ? `${word}=${next}` : `${word}${next}`];
  });

const explain = (error: unknown, flags: readonly Flag[], verb: string): string => {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown option '(-[^' ]*)/.exec(text)?.[1];
  if (unknown === undefined) return `${text.split(". ")[0]} (see nx ${verb} --help)`;
  const nearest = suggestNearest(
    unknown.replace(/^-+/, ""),
    flags.map((flag) => flag.long),
  );
  const hint = nearest === null ? `see nx ${verb} --help` : `did you mean --${nearest}?`;
  return `${unknown} is not a flag of nx ${verb}; ${hint}`;
};

const parseStrictly = (words: readonly string[], verb: Verb): Result<Invocation, Failure> => {
  const flags = [...verb.flags, ...GLOBAL_FLAGS];
  try {
    const args = [...joinNegativeValues(words, flags)];
    const { values, positionals } = parseArgs({ args, options: toOptions(flags), allowPositionals: true });
    return ok({ flags: values as FlagValues, words: positionals });
  } catch (error) {
    return failUsage(explain(error, flags, verb.name));
  }
};

const refuseExtraWords = (invocation: Invocation, verb: Verb): Result<Invocation, Failure> => {
  const extra = invocation.words[verb.maxWords ?? Number.POSITIVE_INFINITY];
  if (extra === undefined) return ok(invocation);
  return failUsage(`nx ${verb.name} does not take "${extra}"; its usage is: ${verb.usage}`);
};

export const parseWords = (words: readonly string[], verb: Verb): Result<Invocation, Failure> => {
  if (verb.isCommand !== true) {
    const parsed = parseStrictly(words, verb);
    return parsed.ok ? refuseExtraWords(parsed.value, verb) : parsed;
  }
  const flags = [...verb.flags, ...GLOBAL_FLAGS];
  const joined = joinChoices(words, flags);
  const first = findFirstWord(joined, flags);
  const flagWords = joined.slice(0, first).filter((word, index) => !(word === "--" && index === first - 1));
  const parsed = parseStrictly(flagWords, verb);
  return parsed.ok ? ok({ flags: parsed.value.flags, words: joined.slice(first) }) : parsed;
};
