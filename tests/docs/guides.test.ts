import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VERBS } from "../../src/cli/verb-table.ts";
import { findFirstWord, GLOBAL_FLAGS, parseWords } from "../../src/command-line/parse-words.ts";
import { ROOT } from "../support/programs.ts";

const GUIDES = ["README.md", "docs/guide.md", "docs/coming-from.md", "docs/cli.md", "examples/README.md"];
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

test("the guides hold commands", () => {
  expect(commands.length).toBeGreaterThan(60);
});

test.each(commands)("%s: nx %s is a command that nx takes", async (_path, command) => {
  const words = splitWords(command);
  const first = findFirstWord(words, [...GLOBAL_FLAGS, { long: "json", help: "" }]);
  const name = words[first] ?? "status";
  const verb = (await VERBS[name]?.())?.verb;
  if (verb === undefined) throw new Error(`${name} is not a verb`);
  expect(parseWords(words.toSpliced(first, 1), verb)).toMatchObject({ ok: true });
});
