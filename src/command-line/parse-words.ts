import { escapeText } from "../base/escape-text.ts";
import { ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import type { Failure, Flag, FlagValues, ForeignWords, Invocation, Program, Verb } from "./command.ts";
import { failUsage } from "./usage.ts";

export const takesNextWord = (word: string, flags: readonly Flag[]): boolean => {
  if (word.startsWith("--"))
    return !word.includes("=") && flags.some((flag) => flag.value && `--${flag.long}` === word);
  const letters = word.slice(1);
  const position = [...letters].findIndex((letter) => flags.some((flag) => flag.value && flag.short === letter));
  return position !== -1 && position === letters.length - 1;
};

const isFlagWord = (word: string): boolean => word.startsWith("-") && word !== "-";

const isValue = (word: string | undefined): word is string =>
  word !== undefined && !(/^-./s.test(word) && !/^-\d+$/.test(word));

/** Where the first word stands that is neither a flag nor a flag's value. */
export const findFirstWord = (words: readonly string[], flags: readonly Flag[]): number => {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return index + 1;
    if (!isFlagWord(word)) return index;
    if (takesNextWord(word, flags) && isValue(words[index + 1])) index++;
  }
  return words.length;
};

const findChoices = (word: string, flags: readonly Flag[]): readonly string[] => {
  if (!takesNextWord(word, flags)) return [];
  const name = word.startsWith("--") ? word.slice(2) : word.at(-1);
  const flag = flags.find(({ long, short }) => name === long || name === short);
  return flag?.many === true ? (flag.choices ?? []) : [];
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

type Grammar = Readonly<{ called: string; flags: readonly Flag[]; foreign: ForeignWords | undefined }>;

const findOwn = (name: string, { foreign }: Grammar, names: readonly string[]): string | undefined =>
  foreign && Object.hasOwn(foreign.flags, name) ? foreign.flags[name]?.find((own) => names.includes(own)) : undefined;

const adviseFlag = (name: string, grammar: Grammar): string => {
  const { called, flags, foreign } = grammar;
  const names = flags.map((flag) => flag.long);
  const own = findOwn(name, grammar, names);
  if (own !== undefined) return `did you mean --${own}?`;
  if (foreign && Object.hasOwn(foreign.absent, name)) return foreign.absent[name] ?? "";
  const nearest = name.startsWith("--") ? suggestNearest(name.slice(2), names) : null;
  return nearest === null ? `see ${called} --help` : `did you mean --${nearest}?`;
};

const refuseUnknown = (name: string, grammar: Grammar): Result<never, Failure> =>
  failUsage(`${escapeText(name)} is not a flag of ${grammar.called}`, adviseFlag(name, grammar));

const takeValue = (flag: Flag, own: string | null, next: string | undefined): Result<Given, Failure> => {
  const value = own ?? (isValue(next) ? next : (flag.bare ?? ""));
  if (value === "") return failUsage(`--${flag.long} needs a value, as in: --${flag.long} ${flag.value}`);
  const rule = flag.check?.(value) ?? null;
  if (rule === null) return ok({ flag, value });
  return failUsage(`--${flag.long} must ${rule}, not "${escapeText(value)}"`);
};

const readPiece = ({ name, value }: Piece, next: string | undefined, grammar: Grammar): Result<Given, Failure> => {
  const flag = grammar.flags.find(({ long, short }) => name === `--${long}` || name === `-${short}`);
  if (flag === undefined) return refuseUnknown(name, grammar);
  if (flag.value !== undefined) return takeValue(flag, value, next);
  if (value === null) return ok({ flag, value: true });
  return failUsage(`--${flag.long} takes no value`, `see ${grammar.called} --help`);
};

type FlagWord = Readonly<{ word: string; next: string | undefined }>;

const readFlags = ({ word, next }: FlagWord, grammar: Grammar): readonly Result<Given, Failure>[] => {
  const pieces = word.startsWith("--") ? [splitLong(word)] : splitShort(word, grammar.flags);
  return pieces.map((piece) => readPiece(piece, next, grammar));
};

const addGiven = (values: FlagValues, { flag, value }: Given): FlagValues => {
  const before = values[flag.long];
  return { ...values, [flag.long]: flag.many ? [...(Array.isArray(before) ? before : []), String(value)] : value };
};

type Sorted = Readonly<{ flagWords: readonly FlagWord[]; others: readonly string[] }>;

const sortWords = (words: readonly string[], flags: readonly Flag[]): Sorted => {
  const flagWords: FlagWord[] = [];
  const others: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!isFlagWord(word)) others.push(word);
    else {
      flagWords.push({ word, next: words[index + 1] });
      if (takesNextWord(word, flags) && isValue(words[index + 1])) index++;
    }
  }
  return { flagWords, others };
};

const parseStrictly = (words: readonly string[], grammar: Grammar): Result<Invocation, Failure> => {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const { flagWords, others } = sortWords(words.slice(0, end), grammar.flags);
  const read = flagWords.flatMap((word) => readFlags(word, grammar));
  const wrong = read.find((given) => !given.ok);
  if (wrong !== undefined && !wrong.ok) return wrong;
  const values = read.reduce<FlagValues>((sum, given) => (given.ok ? addGiven(sum, given.value) : sum), {});
  return ok({ flags: values, words: [...others, ...words.slice(end + 1)] });
};

const parseCommand = (words: readonly string[], grammar: Grammar): Result<Invocation, Failure> => {
  const joined = joinChoices(words, grammar.flags);
  const first = findFirstWord(joined, grammar.flags);
  const flagWords = joined.slice(0, first).filter((word, index) => !(word === "--" && index === first - 1));
  const parsed = parseStrictly(flagWords, grammar);
  return parsed.ok ? ok({ flags: parsed.value.flags, words: joined.slice(first) }) : parsed;
};

const parseAround = (words: readonly string[], grammar: Grammar): Result<Invocation, Failure> => {
  const end = words.indexOf("--");
  const parsed = parseStrictly(end === -1 ? words : words.slice(0, end), grammar);
  return parsed.ok && end !== -1 ? ok({ ...parsed.value, command: words.slice(end + 1) }) : parsed;
};

export const parseWords = (
  words: readonly string[],
  verb: Verb,
  program: Pick<Program, "name" | "flags" | "foreign">,
): Result<Invocation, Failure> => {
  const { name, flags, usage, maxWords } = verb;
  const called = `${program.name} ${name}`.trimEnd();
  const grammar = { called, flags: [...flags, ...program.flags], foreign: program.foreign };
  if (verb.isCommand === true) return parseCommand(words, grammar);
  if (verb.takesCommand === true) return parseAround(words, grammar);
  const parsed = parseStrictly(words, grammar);
  const extra = parsed.ok ? parsed.value.words[maxWords ?? Number.POSITIVE_INFINITY] : undefined;
  if (extra === undefined) return parsed;
  return failUsage(`${grammar.called} does not take "${escapeText(extra)}"`, `its usage is: ${usage}`);
};
