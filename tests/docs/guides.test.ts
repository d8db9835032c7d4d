import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NX } from "../../src/cli/program.ts";
import type { Program } from "../../src/command-line/command.ts";
import { findFirstWord, parseWords } from "../../src/command-line/parse-words.ts";
import { createProgram } from "../../src/server/program.ts";
import { ROOT } from "../support/programs.ts";

const GUIDES = [
  "README.md",
  "docs/guide.md",
  "docs/coming-from.md",
  "docs/agents.md",
  "docs/cli.md",
  "docs/project-file.md",
  "docs/environments.md",
  "examples/README.md",
];
const END = /^(&&|\||#|<\S*|.*;)$/;

const splitWords = (line: string): readonly string[] => {
  const words = line.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  const end = words.findIndex((word) => END.test(word));
  const command = end === -1 ? words : words.slice(0, words[end]?.endsWith(";") ? end + 1 : end);
  return command.map((word) => word.replaceAll(/['";]/g, "").replace(/\)$/, ""));
};

const listCommands = (text: string): readonly string[] =>
  [...text.matchAll(/(?:^(?:\$ |id=\$\()?|^ {4}|`)(?:\.\/)?nx( [^`\n]*)?/gm)].flatMap((match) =>
    match[1] === undefined ? [] : [match[1].trim()],
  );

const commands = GUIDES.flatMap((path) =>
  listCommands(readFileSync(join(ROOT, path), "utf8")).map((command) => [path, command] as const),
).filter(([, command]) => !/^(VERB|\[verb\]|help\b)/.test(command) && !command.includes("["));

const SERVER_GUIDES = [
  "README",
  "docs/install",
  "docs/operations",
  "docs/reliability",
  "docs/security",
  "docs/settings",
];

const listServerCommands = (text: string): readonly string[] =>
  [...text.matchAll(/(?:^|`)(?:sudo )?(?:\.\/|dist\/)?nexus-server ([^`\n]+)/gm)].map(([, words = ""]) => words.trim());

const serverCommands = SERVER_GUIDES.flatMap((path) =>
  listServerCommands(readFileSync(join(ROOT, `${path}.md`), "utf8")).map((command) => [path, command] as const),
).filter(([, command]) => !command.startsWith("help "));

test("the guides hold commands", () => {
  expect(commands.length).toBeGreaterThan(60);
  expect(serverCommands.length).toBeGreaterThan(20);
});

const parse = async (command: string, program: Program) => {
  const words = splitWords(command);
  const first = findFirstWord(words, program.flags);
  const load = words[first] === undefined ? program.withoutVerb : program.verbs[words[first]];
  const verb = (await load?.())?.verb;
  if (verb === undefined) throw new Error(`${words[first]} is not a verb`);
  return parseWords(words.toSpliced(first, 1), verb, program);
};

test.each(commands)("%s: nx %s is a command that nx takes", async (_path, command) => {
  expect(await parse(command, NX)).toMatchObject({ ok: true });
});

test.each(serverCommands)("%s.md: nexus-server %s is a command that it takes", async (_path, command) => {
  expect(await parse(command, createProgram())).toMatchObject({ ok: true });
});

test("bash leaves the braces of all examples alone", async () => {
  const examples = await Promise.all(Object.values(NX.verbs).map(async (load) => (await load()).verb.examples));
  const lines = [...commands.map(([, command]) => command), ...examples.flat()];
  const unquoted = lines.map((line) => line.replaceAll(/'[^']*'|"[^"]*"/g, ""));
  expect(unquoted.filter((line) => /\{[^}]*(,|\.\.)/.test(line))).toEqual([]);
});
