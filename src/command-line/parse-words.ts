import { escapeText } from "../base/escape-text.ts";
import { ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import type { Failure, Flag, FlagValues, Invocation, Verb } from "./command.ts";
import { failUsage } from "./usage.ts";

export const GLOBAL_FLAGS: readonly Flag[] = [
  { long: "target", short: "t", value: "NAME", help: "the server to talk to" },
  { long: "no-autostart", help: "don't start a local server when none is there" },
  { long: "help", short: "h", help: "this text" },
];

export const takesNextWord = (word: string, flags: readonly Flag[]): boolean => {
  if (word.startsWith("--"))
    return !word.includes("=") && flags.some((flag) => flag.value && `--${flag.long}` === word);
  const letters = word.slice(1);
  const position = [...letters].findIndex((letter) => flags.some((flag) => flag.value && flag.short === letter));
  return position !== -1 && position === letters.length - 1;
};

const isFlagWord = (word: string): boolean => word.startsWith("-") && word !== "-";

/** Where the first word stands that is neither a flag nor a flag's value. */
export const findFirstWord = (words: readonly string[], flags: readonly Flag[]): number => {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return index + 1;
    if (!isFlagWord(word)) return index;
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

type Piece = Readonly<{ name: string; value: string | null }>;
type Given = Readonly<{ flag: Flag; value: string | true }>;

const splitLong = (word: string): Piece => {
  const end = word.indexOf("=");
  return end === -1 ? { name: word, value: null } : { name: word.slice(0, end), value: word.slice(end + 1) };
};

const splitShort = (word: string, flags: readonly Flag[]): readonly Piece[] => {
  const letters = [...word.slice(1)];
  const valued = letters.findIndex((letter) => flags.some((flag) => flag.value && flag.short === letter));
  const end = valued === -1 ? letters.length : valued + 1;
  const rest = letters.slice(end).join("");
  return letters
    .slice(0, end)
    .map((letter, index) => ({ name: `-${letter}`, value: index === valued && rest !== "" ? rest : null }));
};

const describeUnknown = (name: string, flags: readonly Flag[], verb: string): string => {
  const names = flags.map((flag) => flag.long);
  const nearest = name.startsWith("--") ? suggestNearest(name.slice(2), names) : null;
  const advice = nearest === null ? `see nx ${verb} --help` : `did you mean --${nearest}?`;
  return `${escapeText(name)} is not a flag of nx ${verb}; ${advice}`;
};

const isFlagLike = (word: string): boolean => /^-./s.test(word) && !/^-\d+$/.test(word);

const takeValue = (flag: Flag, own: string | null, next: string | undefined): Result<Given, Failure> => {
  const value = own ?? (next === undefined || isFlagLike(next) ? "" : next);
  if (value !== "") return ok({ flag, value });
  return failUsage(`--${flag.long} needs a value, as in: --${flag.long} ${flag.value}`);
};

type Place = Readonly<{ next: string | undefined; flags: readonly Flag[]; verb: string }>;

const readPiece = ({ name, value }: Piece, { next, flags, verb }: Place): Result<Given, Failure> => {
  const flag = flags.find(({ long, short }) => name === `--${long}` || name === `-${short}`);
  if (flag === undefined) return failUsage(describeUnknown(name, flags, verb));
  if (flag.value !== undefined) return takeValue(flag, value, next);
  if (value === null) return ok({ flag, value: true });
  return failUsage(`--${flag.long} takes no value (see nx ${verb} --help)`);
};

const readFlags = (word: string, place: Place): readonly Result<Given, Failure>[] => {
  const pieces = word.startsWith("--") ? [splitLong(word)] : splitShort(word, place.flags);
  return pieces.map((piece) => readPiece(piece, place));
};

const addGiven = (values: FlagValues, { flag, value }: Given): FlagValues => {
  const before = values[flag.long];
  return { ...values, [flag.long]: flag.many ? [...(Array.isArray(before) ? before : []), String(value)] : value };
};

type Sorted = Readonly<{
  flagWords: readonly Readonly<{ word: string; next: string | undefined }>[];
  others: string[];
}>;

const sortWords = (words: readonly string[], flags: readonly Flag[]): Sorted => {
  const flagWords: { word: string; next: string | undefined }[] = [];
  const others: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!isFlagWord(word)) others.push(word);
    else {
      flagWords.push({ word, next: words[index + 1] });
      if (takesNextWord(word, flags)) index++;
    }
  }
  return { flagWords, others };
};

const parseStrictly = (words: readonly string[], verb: Verb): Result<Invocation, Failure> => {
  const flags = [...verb.flags, ...GLOBAL_FLAGS];
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const { flagWords, others } = sortWords(words.slice(0, end), flags);
  const read = flagWords.flatMap(({ word, next }) => readFlags(word, { next, flags, verb: verb.name }));
  const wrong = read.find((given) => !given.ok);
  if (wrong !== undefined && !wrong.ok) return wrong;
  const values = read.reduce<FlagValues>((sum, given) => (given.ok ? addGiven(sum, given.value) : sum), {});
  return ok({ flags: values, words: [...others, ...words.slice(end + 1)] });
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
