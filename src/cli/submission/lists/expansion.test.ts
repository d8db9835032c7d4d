import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import type { Result } from "../../../base/result.ts";
import type { Failure } from "../../../command-line/command.ts";
import { MAX_BATCH_SIZE } from "../../../wire/limits.ts";
import { findDoubt, findDoubtfulLists } from "./doubtful-lists.ts";
import { type DrawNumber, expandSweep } from "./expansion.ts";
import { listMeanings } from "./list-meaning.ts";
import { countValues, readSweep } from "./sweep.ts";

const drawLowest = (min: number): number => min;

const expandCommand = (command: string, repeat: number, draw: DrawNumber): Result<readonly string[], Failure> =>
  expandSweep(readSweep(command), repeat, draw);

const expand = (command: string, repeat = 1): readonly string[] => {
  const expanded = expandCommand(command, repeat, drawLowest);
  if (!expanded.ok) throw new Error(expanded.error.message);
  return expanded.value;
};

const keepDoubtful = (command: string): readonly string[] => {
  const { lists, escapes } = findDoubt(command);
  const expanded = expandSweep(readSweep(command, [...lists, ...escapes]), 1, drawLowest);
  return expanded.ok ? expanded.value : [];
};

const join = (pieces: readonly string[]): string => pieces.join("");

const RANGE = fc
  .tuple(
    fc.constantFrom("{", "{0", "{-", "{-0"),
    fc.nat(20),
    fc.integer({ min: -20, max: 20 }),
    fc.constantFrom("", "..3", "..-2", "..0"),
  )
  .map(([start, first, last, step]) => `${start}${first}..${last}${step}}`);

const isPlainSweep = (text: string): boolean =>
  text !== "" &&
  countValues(readSweep(text) ?? []) < 50 &&
  (text.split("{").length === text.split("}").length || !text.includes("\\")) &&
  findDoubtfulLists(text).length === 0 &&
  !listMeanings(text).some(([, meaning]) => meaning === "paired");

const expandWord = (text: string): readonly string[] =>
  expand(`x\0${text}`).flatMap((command) => command.split("\0").slice(1));

const expandInBash = (words: readonly string[]): readonly (readonly string[])[] => {
  const script = words.map((text) => `printf '%s\\0' x ${text}; echo`).join("\n");
  const { stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\0").slice(1, -1));
};

describe("expansion", () => {
  test("one list makes one job for each value", () => {
    expect(expand("train --lr {0.1, 0.01}")).toEqual(["train --lr 0.1", "train --lr 0.01"]);
  });

  test("several lists make the product, in order", () => {
    expect(expand("{a,b} {x,y}")).toEqual(["a x", "a y", "b x", "b y"]);
  });

  test("double braces are paired, the shorter list padded with its last value", () => {
    expect(expand("{{a,b,c}} {{x,y}}")).toEqual(["a x", "b y", "c y"]);
  });

  test("pairs and products combine", () => {
    expect(expand("{1,2} {{a,b}} {{x,y}}")).toEqual(["1 a x", "1 b y", "2 a x", "2 b y"]);
  });

  test("a random number is drawn for each job and again for each repeat, from 0 to 100 unless told", () => {
    const drawn: (readonly [number, number])[] = [];
    const draw = (min: number, max: number): number => drawn.push([min, max]);
    const expanded = expandCommand("{RANDINT:-5,7} {RANDINT} {a,b}", 2, draw);
    expect(expanded.ok && expanded.value).toEqual(["1 2 a", "3 4 b", "5 6 a", "7 8 b"]);
    expect(drawn.slice(0, 2)).toEqual([
      [-5, 7],
      [0, 100],
    ]);
  });

  test.each([
    ["echo ${HOME}", "echo ${HOME}"],
    ["echo {one}", "echo {one}"],
    [`echo '{"a": 1, "b": 2}'`, `echo '{"a": 1, "b": 2}'`],
    ["f'{x}'", "f'{x}'"],
    ["awk '{print $1}'", "awk '{print $1}'"],
    ["echo \\{a,b\\}", "echo {a,b}"],
    ["echo {}", "echo {}"],
    ["echo ${list:1,2}", "echo ${list:1,2}"],
    [`echo "{\\"a\\": 1, \\"b\\": 2}"`, `echo "{\\"a\\": 1, \\"b\\": 2}"`],
    ["echo {'a': 1, 'b': 2}", "echo {'a': 1, 'b': 2}"],
    [`{"a": {"b": 1, "c": 2}}`, `{"a": {"b": 1, "c": 2}}`],
    ["awk '\\{print $1, $2}'", "awk '{print $1, $2}'"],
    [`f"{a}, {b!r}"`, `f"{a}, {b!r}"`],
    ["{{one}}", "{{one}}"],
    ["{1..a}", "{1..a}"],
    ["{a..Z}", "{a..Z}"],
    ["{[1,2]}", "{[1,2]}"],
    ["[1,2] f(a,b)", "[1,2] f(a,b)"],
    ["a\\,b", "a\\,b"],
    [`{ echo "{a,b}"; }`, `{ echo "{a,b}"; }`],
    [`{"a": 1, "b": [1,2], "c": {"d": 2, "e": 3}}`, `{"a": 1, "b": [1,2], "c": {"d": 2, "e": 3}}`],
    ["${a:-{x,y}}", "${a:-{x,y}}"],
    ["{a,b", "{a,b"],
    ["{RANDINT:5,5}", "5"],
    ["{{RANDINT:5,6}}", "{5}"],
  ])("%s is one job", (command, job) => {
    expect(expand(command)).toEqual([job]);
  });

  test.each([
    ["model_{small,large}.py", ["model_small.py", "model_large.py"]],
    ["--lr={0.1,0.2}", ["--lr=0.1", "--lr=0.2"]],
    ["{http://a,http://b}", ["http://a", "http://b"]],
    [`{"a b","c d"}`, [`"a b"`, `"c d"`]],
    ["{RANDINT:x,y}", ["{RANDINT:x,y}"]],
    ["{1..3}", ["1", "2", "3"]],
    ["{10..1..4}", ["10", "6", "2"]],
    ["{08..10}", ["08", "09", "10"]],
    ["{-1..01}", ["-1", "00", "01"]],
    ["{c..a}", ["c", "b", "a"]],
    ["--hidden={[64,64],[128,128]}", ["--hidden=[64,64]", "--hidden=[128,128]"]],
    ["--size {(1,2),(3,4)}", ["--size (1,2)", "--size (3,4)"]],
    ["{f(1,2),g[3,4]}", ["f(1,2)", "g[3,4]"]],
    ["{[a,b}", ["[a", "b"]],
    [`{"a,b",'c,d'}`, [`"a,b"`, `'c,d'`]],
    [`{"a}b",c}`, [`"a}b"`, "c"]],
    ["{it's,that}", ["it's", "that"]],
    ["{a\\,b,c}", ["a,b", "c"]],
    ["{a\\}b,c}", ["a}b", "c"]],
    ["{a,b{c,d}}", ["a", "bc", "bd"]],
    ["{{a,b},{c,d}}", ["a", "b", "c", "d"]],
    ["x{y{a,b}}", ["x{ya}", "x{yb}"]],
    ["{{a,{b,c}}} {{1..2}}", ["a {1}", "b {1}", "c {1}", "a {2}", "b {2}", "c {2}"]],
    ["{a,{RANDINT:4,5}}", ["a", "4"]],
    ["{1..{2,3}", ["{1..2", "{1..3"]],
    [`{"lr": {0.1,0.2}, "wd": 0}`, [`{"lr": 0.1, "wd": 0}`, `{"lr": 0.2, "wd": 0}`]],
    ["a {,--amp} {b, c}", ["a  b", "a  c", "a --amp b", "a --amp c"]],
  ] as const)("%s makes %j", (command, jobs) => {
    expect(expand(command)).toEqual([...jobs]);
  });

  test("a repeat repeats everything", () => {
    expect(expand("{a,b}", 2)).toEqual(["a", "b", "a", "b"]);
  });

  test("too many jobs and a reversed range are refused", () => {
    const list = `{${Array.from({ length: 101 }, (_value, index) => index).join(",")}}`;
    expect(expandCommand("{1..999999999999}{1..999999999999}", 1, drawLowest).ok).toBe(false);
    expect(expandCommand("{a,{1..100}{1..100}{1..100}}", 1, drawLowest).ok).toBe(false);
    const many = expandCommand(`${list} ${list}`, 1, drawLowest);
    expect(!many.ok && many.error).toEqual({
      exitCode: 2,
      message: `this makes 10201 jobs; at most ${MAX_BATCH_SIZE} can be added at once`,
    });
    expect(expandCommand("{RANDINT:9,1}", 1, drawLowest).ok).toBe(false);
  });

  test.each(["{RANDINT:0,99999999999999999999}", "{RANDINT:-9007199254740991,9007199254740991}"])(
    "%s, which can't be drawn, is refused",
    (command) => {
      const expanded = expandCommand(command, 1, drawLowest);
      expect(!expanded.ok && expanded.error).toEqual({ exitCode: 2, message: expect.stringContaining("too wide") });
    },
  );

  test("exactly as many jobs as allowed are made, and one more is refused", () => {
    expect(expand("x", MAX_BATCH_SIZE)).toHaveLength(MAX_BATCH_SIZE);
    expect(expandCommand("{a,b}", MAX_BATCH_SIZE / 2 + 1, drawLowest).ok).toBe(false);
  });

  test("any text with braces is expanded or refused", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom("{", "}", "{{", "}}", ",", "\\", "$", '"', "RANDINT", ":1,2", "\0"),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 1, max: 3 }), (pieces, repeat) => {
        const expanded = expandCommand(pieces.join(""), repeat, drawLowest);
        if (expanded.ok) expect(expanded.value.length % repeat).toBe(0);
      }),
    );
  });

  test.each(["{,", "{a,", '{"', "{{a,", "\\{", "{}", "{RANDINT:"])(
    "a long command of %s is expanded or refused",
    (piece) => {
      const long = [piece.padEnd(64_000, piece), "{".padEnd(120_000, ",")];
      expect(long.map((command) => typeof expandCommand(command, 1, drawLowest).ok)).toEqual(["boolean", "boolean"]);
    },
  );

  test("pairs and products together make as many jobs as told, whatever is in them", () => {
    const list = fc.array(fc.stringMatching(/^[a-z0-9]*$/), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(list, { maxLength: 3 }), fc.array(list, { maxLength: 3 }), (products, pairs) => {
        const words = [...products.map((list) => `{${list.join()}}`), ...pairs.map((list) => `{{${list.join()}}}`)];
        const count = products.reduce(
          (all, list) => all * list.length,
          Math.max(1, ...pairs.map((list) => list.length)),
        );
        expect(expand(words.join(" "), 2)).toHaveLength(2 * count);
      }),
    );
  });

  test("an empty value that is a whole word is no word, an empty word that was typed is one", () => {
    expect(expand("a\0{,--amp}\0b")).toEqual(["a\0b", "a\0--amp\0b"]);
    expect(expand("a\0\0{,b}{,c}")).toEqual(["a\0", "a\0\0c", "a\0\0b", "a\0\0bc"]);
    expect(expand("{,\0b}\0x{,y}")).toEqual(["x", "xy", "b\0x", "b\0xy"]);
  });

  test("braces as deep as one likes are expanded or refused", () => {
    const nest = (depth: number): string => `${"{a,".repeat(depth)}b${"}".repeat(depth)}`;
    expect(expand(nest(400))).toHaveLength(401);
    expect(expandCommand(nest(30_000), 1, drawLowest).ok).toBe(false);
  });

  test("lists without doubt make what bash makes of them, in its order", () => {
    const plain = fc.stringMatching(/^[a-z0-9_=/-]{1,3}$/);
    const { word } = fc.letrec<{ word: string; list: string; value: string }>((tie) => ({
      word: fc.array(fc.oneof(plain, tie("list"), RANGE, fc.constantFrom("{", ",", "{x}")), { maxLength: 4 }).map(join),
      list: fc.array(tie("value"), { minLength: 1, maxLength: 3 }).map((values) => `{${values.join()}}`),
      value: fc.oneof({ maxDepth: 3 }, plain, fc.constantFrom("", "a\\,b"), tie("word")),
    }));
    const plainWord = word.filter((text) => isPlainSweep(text));
    fc.assert(
      fc.property(fc.array(plainWord, { minLength: 30, maxLength: 30 }), (words) => {
        expect(words.map((text) => [text, expandWord(text)])).toEqual(
          expandInBash(words).map((values, index) => [words[index] ?? "", values]),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("any text without braces is left as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!/[{}]/.test(text));
        expect(expand(text)).toEqual([text]);
      }),
    );
  });

  test("the product of lists has as many jobs as their sizes multiplied, all different", () => {
    const list = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]+$/), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), (lists) => {
        const jobs = expand(lists.map((values) => `{${values.join(",")}}`).join(" "));
        expect(new Set(jobs).size).toBe(lists.reduce((product, values) => product * values.length, 1));
      }),
    );
  });
});

test("a list that looks like a part of a program is doubtful, values are not", () => {
  const awk = "awk\0{print $1, $2}\0f";
  expect(findDoubtfulLists(awk)).toEqual(["{print $1, $2}"]);
  expect(findDoubtfulLists("python3 -c 'print({a: 1, b: 2})' {{f(1),2}}")).toEqual(["{a: 1, b: 2}", "{{f(1),2}}"]);
  expect(findDoubtfulLists("train --lr {0.1, 0.01} {a=1,b=2} {'x y',\"z\"} {{1,2}} {RANDINT:1,2} ${HOME}")).toEqual([]);
  expect(findDoubtfulLists('awk \'\\{print $1, $2\\}\' {print $1} {"a": $x, "b": 2}')).toEqual([]);
});

test.each([
  ["+opt={lr:0.1,wd:0}", ["{lr:0.1,wd:0}"]],
  ["+a={b:{c:1,d:2},e:{f:3}}", ["{b:{c:1,d:2},e:{f:3}}"]],
  ["{http://a,http://b} {cuda:0,cuda:1} {/data:/a,/data:/b}", []],
  ["{cuda:0,cpu}", ["{cuda:0,cpu}"]],
  ["{x:,}", ["{x:,}"]],
  ["{total:,.2f}", ["{total:,.2f}"]],
  ["{:,}", ["{:,}"]],
  ["grep -E 'a{2,}'", ["{2,}"]],
  ["grep -E '[a-z]{2,5} (ab){1,2} x{1,2}'", ["{2,5}", "{1,2}", "{1,2}"]],
  ["train.py 'x{1,2}' v1.{1,2} '^.{1,2}' '\\S+{1,2}'", ["{1,2}", "{1,2}"]],
  ["{lr:0.1,}", ["{lr:0.1,}"]],
  ["{a,} {,a} {--amp,} {a,,b}", ["{a,}"]],
  ["for i in {1..5}; do echo $i {a,b}; done", ["{1..5}", "{a,b}"]],
  ["node -e 'const {a, b} = c' import {d,e}", ["{a, b}", "{d,e}"]],
  ["x = {1, 2}; y in {3, 4}; print({5,6}) [{7,8}] --a={9,10}", ["{1, 2}", "{3, 4}", "{5,6}"]],
  ["in\0{print,draw}", []],
  ["{a = 1, b = 2}", ["{a = 1, b = 2}"]],
  ["awk '{print NR, x}'", ["{print NR, x}"]],
  ["print({f(1), g(2)}) {f(1),g(2)}", ["{f(1), g(2)}"]],
  ["{it's,that}", ["{it's,that}"]],
  ["${x:a,b} \\{a:1,b:2\\} {1..5} {a..c..2}", []],
] as const)("of %s the doubtful lists are %j, and they can be left as they are", (command, lists) => {
  expect(findDoubtfulLists(command)).toEqual([...lists]);
  if (lists.length > 0) for (const list of lists) expect(keepDoubtful(command)[0]).toContain(list);
});
