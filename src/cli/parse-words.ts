import { parseArgs } from "node:util";
import { describeError } from "../shared/describe-error.ts";
import { ok, type Result } from "../shared/result.ts";
import { suggestNearest } from "../shared/suggest.ts";
import { failUsage } from "./failure.ts";
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

export const takesNextWord = (word: string, flags: readonly Flag[]): boolean => {
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

const findChoices = (word: string, flags: readonly Flag[]): readonly string[] => {
  if (!takesNextWord(word, flags)) return [];
  const name = word.startsWith("--") ? word.slice(2) : word.at(-1);
  return flags.find(({ long, short }) => name === long || name === short)?.choices ?? [];
};

const countLeading = (words: readonly string[], choices: readonly string[]): number => {
  const end = words.findIndex((word) => !choices.includes(word));
  return end === -1 ? words.length : end;
};

const joinChoices = (words: readonly string[], flags: readonly Flag[]): readonly string[] => {
  const end = findFirstWord(words, flags);
  const flag = words.findIndex((word, index) => index < end && findChoices(word, flags).length > 0);
  if (flag === -1) return words;
  const rest = words.slice(flag + 1);
  const count = countLeading(rest, findChoices(words[flag] ?? "", flags));
  const joined = count === 0 ? [] : [rest.slice(0, count).join(",")];
  return [...words.slice(0, flag + 1), ...joined, ...joinChoices(rest.slice(count), flags)];
};

const joinNegativeValues = (words: readonly string[], flags: readonly Flag[]): readonly string[] =>
  words.flatMap((word, index) => {
    const previous = words[index - 1] ?? "";
    if (index > 0 && /^-\d+$/.test(word) && takesNextWord(previous, flags)) return [];
    const next = words[index + 1] ?? "";
    if (!/^-\d+$/.test(next) || !takesNextWord(word, flags)) return [word];
    return [word.startsWith("--") ? `${word}=${next}` : `${word}${next}`];
  });

const describeMissing = (text: string, flags: readonly Flag[]): string | null => {
  const given = /^Option '(-[^',= ]+)[^']*' argument (?:missing|is ambiguous)/.exec(text)?.[1];
  const flag = flags.find(({ long, short }) => given === `--${long}` || given === `-${short}`);
  return flag?.value === undefined ? null : `--${flag.long} needs a value, as in: --${flag.long} ${flag.value}`;
};

const describeUnknown = (text: string, flags: readonly Flag[], verb: string): string | null => {
  const given = /^Unknown option '([^' ]*)/.exec(text)?.[1];
  if (given === undefined) return null;
  const unknown = given.startsWith("-") ? given : `-${given}`;
  const names = flags.map((flag) => flag.long);
  const nearest = unknown.startsWith("--") ? suggestNearest(unknown.slice(2), names) : null;
  const advice = nearest === null ? `see nx ${verb} --help` : `did you mean --${nearest}?`;
  return `${unknown} is not a flag of nx ${verb}; ${advice}`;
};

const explain = (error: unknown, flags: readonly Flag[], verb: string): string => {
  const text = describeError(error);
  const known = describeUnknown(text, flags, verb) ?? describeMissing(text, flags);
  return known ?? `${text.split(/\. |\n/)[0]} (see nx ${verb} --help)`;
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
