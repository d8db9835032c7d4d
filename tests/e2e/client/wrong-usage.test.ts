import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suggestNearest } from "../../../src/base/suggest.ts";
import { VERBS } from "../../../src/cli/verb-table.ts";
import type { Flag, Verb } from "../../../src/command-line/command.ts";
import { GLOBAL_FLAGS, parseWords } from "../../../src/command-line/parse-words.ts";
import { createPipedNx } from "../../support/piped-nx.ts";

type Case = Readonly<{ verb: Verb; flag: Flag }>;

const verbs = await Promise.all(Object.values(VERBS).map(async (load) => (await load()).verb));
const cases: readonly Case[] = verbs.flatMap((verb) =>
  [...verb.flags, ...GLOBAL_FLAGS].map((flag) => ({ verb, flag })),
);

const refusal = (verb: Verb, words: readonly string[]): string => {
  const parsed = parseWords(words, verb);
  if (parsed.ok) throw new Error(`nx ${verb.name} ${words.join(" ")} was taken`);
  expect(parsed.error.exitCode).toBe(2);
  expect(parsed.error.message.split("\n")).toHaveLength(1);
  return parsed.error.message;
};

const misspell = (word: string): readonly string[] => [
  `${word}${word.at(-1)}`,
  `${word[0]}${word}`,
  word.slice(0, -1),
  `${word.slice(0, -2)}${word.at(-1)}${word.at(-2)}`,
];

const describeCase = ({ verb, flag }: Case): string => `nx ${verb.name} --${flag.long}`;

describe("every flag of every verb", () => {
  test.each(cases.map((one) => [describeCase(one), one] as const))(
    "%s: a misspelling gets the right one",
    (_name, one) => {
      const known = [...one.verb.flags, ...GLOBAL_FLAGS].map(({ long }) => long);
      for (const wrong of misspell(one.flag.long).filter((word) => word.length > 1 && !known.includes(word))) {
        const nearest = suggestNearest(wrong, known);
        expect(refusal(one.verb, [`--${wrong}`])).toBe(
          `--${wrong} is not a flag of nx ${one.verb.name}; did you mean --${nearest}?`,
        );
      }
      expect(suggestNearest(`${one.flag.long}${one.flag.long.at(-1)}`, known)).toBe(one.flag.long);
    },
  );

  const valued = cases.filter(({ flag }) => flag.value !== undefined);
  test.each(valued.map((one) => [describeCase(one), one] as const))("%s without its value", (_name, { verb, flag }) => {
    expect(refusal(verb, [`--${flag.long}`])).toContain(`--${flag.long} needs a value`);
    if (flag.short !== undefined) expect(refusal(verb, [`-${flag.short}`])).toContain(`--${flag.long} needs a value`);
  });

  const switches = cases.filter(({ flag }) => flag.value === undefined);
  test.each(switches.map((one) => [describeCase(one), one] as const))("%s with a value", (_name, { verb, flag }) => {
    expect(refusal(verb, [`--${flag.long}=1`])).toContain(`--${flag.long}`);
  });
});

test.each(verbs.map(({ name }) => name))("a misspelt nx %s gets the right one", (name) => {
  expect(suggestNearest(`${name}${name.at(-1)}`, Object.keys(VERBS))).toBe(name);
});

describe("a wrong value", () => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "nexus-usage-"));
  });

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const nx = createPipedNx(() => home);

  const wrongValues: readonly (readonly string[])[] = [
    ["run", "-g", "two", "true"],
    ["run", "-i", "0;1", "true"],
    ["run", "-i", "0,1,0", "true"],
    ["run", " "],
    ["add", ""],
    ["run", "-n", "pigeon", "true"],
    ["run", "-e", "1=2", "true"],
    ["run", "--env-file", "/nowhere", "true"],
    ["add", "-r", "0", "true"],
    ["add", "-p", "10000", "true"],
    ["queue", "-n", "none"],
    ["history", "-n", "-1"],
    ["logs", "-n", "x"],
    ["edit", "abc123", "-p", "high"],
    ["edit", "abc123", "-g", "1.5"],
    ["blacklist", "add", "one"],
    ["queue", "-t", "nowhere"],
    ["queue", "-u", ""],
    ["queue", "-t", ""],
    ["queue", "--target="],
    ["get", ""],
    ["why", ""],
    ["wait", ""],
    ["edit", "", "-p", "1"],
    ["edit", "abc123", "-c", " "],
    ["queu"],
    ["help", "run", "extra"],
    ["help", "queu"],
  ];

  test.each(wrongValues.map((words) => [words]))("nx %j is one line and exit 2", async (words) => {
    const finished = await nx(words);
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toMatch(/^nx: [^\n]+\n$/);
  });

  test.each([
    ["NEXUS_ENABLE_GIT_TAG_PUSH", "maybe", "true or false"],
    ["NEXUS_AUTOSTART", "2", "true or false"],
    ["NEXUS_DEFAULT_NOTIFICATIONS", "discord,pigeon", "pigeon"],
    ["NEXUS_DEFAULT_INTEGRATIONS", "wand", "wand"],
    ["NS_PORT", "none", "whole number"],
  ])("%s=%s is one line and exit 2", async (name, value, problem) => {
    const finished = await nx(["queue"], "", { [name]: value });
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toMatch(/^nx: [^\n]+\n$/);
    expect(finished.stderr).toContain(name);
    expect(finished.stderr).toContain(problem);
  });
});
