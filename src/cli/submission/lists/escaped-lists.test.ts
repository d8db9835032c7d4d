import { expect, test } from "bun:test";
import fc from "fast-check";
import { escapeList, findDoubt, showSpans } from "./doubtful-lists.ts";
import { expandSweep } from "./expansion.ts";
import type { TextSpan } from "./find-braces.ts";
import { listChoices } from "./list-meaning.ts";
import { readSweep } from "./sweep.ts";

const expand = (command: string, kept: readonly TextSpan[] = []): readonly string[] => {
  const expanded = expandSweep(readSweep(command, kept), 1, (min) => min);
  return expanded.ok ? expanded.value : [expanded.error.message];
};

const PIECE = fc.constantFrom("{", "}", "\\{", "\\}", ",", "\\,", "a", "1", "\\d", "$", '"', " ", "..", "\0", "-");
const COMMAND = fc.array(PIECE, { maxLength: 14 }).map((pieces) => pieces.join(""));

const hasNoChoice = (command: string): boolean => {
  const bare = command.replace(/\\([{},])/g, "$1");
  return listChoices(command).length === 0 && listChoices(bare).length === 0;
};

test.each([
  "sed\0s/\\(a\\)\\{2\\}/x/",
  "perl\0-pe\0s/\\{(\\w+)\\}/$1/",
  "python\0train.py\0--tex\0\\frac\\{a\\}\\{b\\}",
  '\\{"a": 1, "b": 2\\}',
  "\\{",
  "a\\}",
  "$\\{a,b\\}",
  "${a:-\\{x,y\\}}",
])("%j keeps its backslashes, as its braces would be no list without them", (command) => {
  expect(expand(command)).toEqual([command]);
  expect(findDoubt(command).escapes).toEqual([]);
});

test.each([
  ["\\{a,b\\}", ["{a,b}"]],
  ["\\{a,b}", ["{a,b}"]],
  ["{a,b\\}", ["{a,b}"]],
  ["{a\\,b}", ["{a,b}"]],
  ['echo "$A \\{1,2\\}"', ['echo "$A {1,2}"']],
  ["\\{1..3\\}", ["{1..3}"]],
  ["\\{RANDINT:1,2\\}", ["{RANDINT:1,2}"]],
  ["{a\\}b,c}", ["a}b", "c"]],
  ["{\\{a\\},b}", ["\\{a\\}", "b"]],
  ["{\\{a\\,b\\},c}", ["{a,b}", "c"]],
  ['awk\0\\{print "a\\n", $2\\}', ['awk\0{print "a\\n", $2}']],
] as const)("%j loses the backslashes that keep it from being a list, and makes %j", (command, jobs) => {
  expect(expand(command)).toEqual([...jobs]);
  expect(findDoubt(command).escapes).toEqual([]);
});

test.each([
  ["grep\0a\\{2,3\\}\0f", "\\{2,3\\}"],
  ["sed 's/x\\{,3\\}//' f", "\\{,3\\}"],
  ["sed\0s/ \\{2,4\\}/ /", "\\{2,4\\}"],
  ["view ' \\{2,\\}'", "\\{2,\\}"],
  ["C:\\dir\\{a,b}", "\\{a,b}"],
  ["C:\\{a,b}", "\\{a,b}"],
  ["--tex\0\\alpha\\{a,b\\}", "\\{a,b\\}"],
  ["--tex\0\\{\\alpha,\\beta\\}", "\\{\\alpha,\\beta\\}"],
])("the backslashes of %j may be the program's own, and can be left as they are", (command, list) => {
  const { escapes } = findDoubt(command);
  expect(showSpans(command, escapes)).toEqual([list]);
  expect(expand(command, escapes)).toEqual([command]);
});

test("where nothing would be a list all is left as it is", () => {
  fc.assert(
    fc.property(COMMAND, (command) => {
      fc.pre(hasNoChoice(command));
      expect(expand(command)).toEqual([command]);
    }),
    { numRuns: 1000 },
  );
});

test("what is kept is kept to the letter", () => {
  fc.assert(
    fc.property(COMMAND, (command) => {
      expect(expand(command, [{ start: 0, end: command.length }])).toEqual([command]);
    }),
  );
});

test("a list as it is told to be written stays as it is, without a question", () => {
  fc.assert(
    fc.property(COMMAND, (command) => {
      for (const [list] of listChoices(command)) {
        const text = command.slice(list.start, list.end + 1);
        const escaped = escapeList(command, list);
        fc.pre(escaped !== null && !text.includes("\0"));
        expect(expand(escaped ?? "")).toEqual([text]);
        expect(findDoubt(escaped ?? "").escapes).toEqual([]);
      }
    }),
    { numRuns: 1000 },
  );
});
