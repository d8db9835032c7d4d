import { describe, expect, test } from "bun:test";
import { suggestNearest } from "../../src/base/suggest.ts";
import { DONE, type Flag, type Program, type Verb } from "../../src/command-line/command.ts";
import { loadVerbs } from "../../src/command-line/help.ts";
import { parseWords } from "../../src/command-line/parse-words.ts";
import { runProgram } from "../../src/command-line/run-program.ts";
import { phraseFailure } from "../../src/command-line/usage.ts";

type Case = Readonly<{ verb: Verb; flag: Flag }>;

const misspell = (word: string): readonly string[] => [
  `${word}${word.at(-1)}`,
  `${word[0]}${word}`,
  word.slice(0, -1),
  `${word.slice(0, -2)}${word.at(-1)}${word.at(-2)}`,
];

const nameCall = (program: Program, verb: Verb): string => `${program.name} ${verb.name}`.trimEnd();

const countMostWordsOfUsage = ({ name, usage }: Verb): number => {
  if (usage.includes("…")) return Number.POSITIVE_INFINITY;
  const [, told = ""] = usage.split(` ${name}`, 2);
  const ways = told
    .replaceAll(/\[(flags|-[^\]]*)\]/g, "")
    .replaceAll(/ or \S+/g, "")
    .replaceAll(/\S+, /g, "")
    .split("|");
  return Math.max(...ways.map((way) => way.split(" ").filter((word) => /\w/.test(word)).length));
};

const disarmVerbs = (program: Program): Program => {
  const still = async (load: Program["withoutVerb"]) => ({ verb: { ...(await load()).verb, run: async () => DONE } });
  const verbs = Object.entries(program.verbs).map(([name, load]) => [name, () => still(load)] as const);
  return { ...program, withoutVerb: () => still(program.withoutVerb), verbs: Object.fromEntries(verbs) };
};

/** What is said, in one line, of words that are wrong usage. */
export const refuseWords = async (words: readonly string[], program: Program): Promise<string> => {
  const outcome = await runProgram(words, disarmVerbs(program));
  if (outcome.ok) throw new Error(`${program.name} ${words.join(" ")} was taken`);
  expect(outcome.error.exitCode).toBe(2);
  const told = phraseFailure(outcome.error);
  expect(told.split("\n")).toHaveLength(1);
  return told;
};

const refuse = ({ verb }: Case, words: readonly string[], program: Program): string => {
  const parsed = parseWords(words, verb, program);
  if (parsed.ok) throw new Error(`${nameCall(program, verb)} ${words.join(" ")} was taken`);
  expect(parsed.error.exitCode).toBe(2);
  const told = phraseFailure(parsed.error);
  expect(told.split("\n")).toHaveLength(1);
  return told;
};

/** Each flag of each verb, and each verb, written wrong in every way that its own description tells. */
export const testWrongFlags = async (program: Program): Promise<void> => {
  const verbs = await loadVerbs(program);
  const named = verbs.filter(({ name }) => name !== "");
  const cases = verbs.flatMap((verb) => [...verb.flags, ...program.flags].map((flag) => ({ verb, flag })));
  const list = (isMeant: (flag: Flag) => boolean) =>
    cases
      .filter(({ flag }) => isMeant(flag))
      .map((one) => [`${nameCall(program, one.verb)} --${one.flag.long}`, one] as const);

  describe("every flag of every verb", () => {
    test.each(list(() => true))("%s: a misspelling gets the right one", (_name, one) => {
      const known = [...one.verb.flags, ...program.flags].map(({ long }) => long);
      for (const wrong of misspell(one.flag.long).filter((word) => word.length > 1 && !known.includes(word))) {
        const nearest = suggestNearest(wrong, known);
        expect(refuse(one, [`--${wrong}`], program)).toBe(
          `--${wrong} is not a flag of ${nameCall(program, one.verb)}; did you mean --${nearest}?`,
        );
      }
      expect(suggestNearest(`${one.flag.long}${one.flag.long.at(-1)}`, known)).toBe(one.flag.long);
    });

    test.each(list(({ value, bare }) => value !== undefined && bare === undefined))(
      "%s without its value",
      (_name, one) => {
        const { long, short } = one.flag;
        const names = [`--${long}`, ...(short === undefined ? [] : [`-${short}`])];
        const wrong = names.flatMap((name) => [[name], [name, ""], [name, "--help"], [`--${long}=`]]);
        for (const words of wrong) expect(refuse(one, words, program)).toContain(`--${long} needs a value`);
      },
    );

    test.each(list(({ value }) => value === undefined))("%s with a value", (_name, one) => {
      expect(refuse(one, [`--${one.flag.long}=1`], program)).toContain(`--${one.flag.long} takes no value`);
    });
  });

  describe("every verb", () => {
    test.each(named.map(({ name }) => name))(`a misspelt ${program.name} %s gets the right one`, async (name) => {
      const wrong = `${name}${name.at(-1)}`;
      expect(suggestNearest(wrong, Object.keys(program.verbs))).toBe(name);
      const message = `"${wrong}" is not a verb of ${program.name}; did you mean ${name}?`;
      for (const words of [[wrong], ["help", wrong], [wrong, "--help"]])
        expect(await refuseWords(words, program)).toBe(message);
    });

    test("takes as many words as its usage names", () => {
      for (const verb of named) {
        const count = countMostWordsOfUsage(verb);
        expect([verb.name, verb.maxWords ?? count]).toEqual([verb.name, count]);
      }
    });

    const counted = named.flatMap(({ name, maxWords }) => (maxWords === undefined ? [] : [[name, maxWords] as const]));
    test.each(counted)(`${program.name} %s refuses a word after the %d that it takes`, async (name, count) => {
      const words = [name, ...Array.from({ length: count }, () => "word"), "extra\nword"];
      expect(await refuseWords(words, program)).toStartWith(`${program.name} ${name} does not take "extra\\nword"; `);
    });
  });
};
