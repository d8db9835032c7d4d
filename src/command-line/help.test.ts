import { describe, expect, test } from "bun:test";
import { NX } from "../cli/program.ts";
import { createProgram } from "../server/program.ts";
import type { Flag, Program, Verb } from "./command.ts";
import { loadVerbs, renderHelp, renderVerbHelp } from "./help.ts";
import { parseWords } from "./parse-words.ts";

const readExample = (example: string, { name }: Program): readonly string[] => {
  const line = example.slice(example.indexOf(name) + name.length).replace(/ &&.*$| <\S+$|\)$/, "");
  return (line.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ""));
};

const findTooLong = (text: string): readonly string[] => text.split("\n").filter((line) => line.length > 80);

describe.each([NX, createProgram()])("the help of $name", (program) => {
  test("names every verb, in lines of a terminal's width", async () => {
    const help = await renderHelp(program);
    const [bare] = await loadVerbs(program);
    for (const name of Object.keys(program.verbs)) if (name !== bare?.name) expect(help).toContain(`\n  ${name} `);
    expect(findTooLong(help)).toEqual([]);
  });

  test("about a verb has its usage, flags and examples, in lines of a terminal's width", async () => {
    for (const verb of await loadVerbs(program)) {
      const help = renderVerbHelp(verb, program);
      for (const { long } of [...verb.flags, ...program.flags])
        expect(help).toMatch(new RegExp(`^ .{5}--${long}\\b`, "m"));
      expect(findTooLong(help)).toEqual([]);
      expect(help).toStartWith(`${verb.usage}\n\n  ${verb.summary}\n\nFlags\n`);
      expect(help).toEndWith(`\n\nExamples\n${verb.examples.map((example) => `  ${example}`).join("\n")}`);
    }
  });

  test("has examples of every verb, which it takes", async () => {
    const [bare, ...verbs] = await loadVerbs(program);
    for (const verb of verbs) {
      expect(verb.examples).not.toEqual([]);
      for (const example of verb.examples) {
        const [name, ...words] = readExample(example, program);
        expect([name, parseWords(words, verb, program)]).toEqual([verb.name, expect.objectContaining({ ok: true })]);
      }
    }
    if (bare === undefined) throw new Error("nothing is done without a verb");
    for (const example of bare.examples)
      expect(parseWords(readExample(example, program), bare, program)).toMatchObject({ ok: true });
  });
});

const verb: Verb = {
  name: "brew",
  usage: "pot brew [flags]",
  summary: "make tea",
  flags: [],
  examples: ["pot brew"],
  run: async () => ({ ok: true, value: 0 }),
};

const render = (flag: Flag): string => {
  const help = renderVerbHelp(verb, { ...NX, flags: [flag] });
  return help.slice(help.indexOf("Flags\n"), help.indexOf("\n\nExamples"));
};

test("a flag's text goes on below its beginning, and a value that may be left out is in brackets", () => {
  const help = "so long a text that a terminal of eighty columns has no room for it";
  expect(render({ long: "cups", short: "c", value: "N", bare: "1", help })).toBe(
    [
      "Flags",
      "  -c, --cups [N]            so long a text that a terminal of eighty columns has",
      "                            no room for it",
    ].join("\n"),
  );
});
