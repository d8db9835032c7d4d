import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_BATCH_SIZE } from "../../wire/limits.ts";
import { expandCommand, findDoubtfulLists } from "./expansion.ts";

const drawLowest = (min: number): number => min;

const expand = (command: string, repeat = 1): readonly string[] => {
  const expanded = expandCommand(command, repeat, drawLowest);
  if (!expanded.ok) throw new Error(expanded.error.message);
  return expanded.value;
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
    ["{1..3}", "{1..3}"],
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
  ] as const)("%s makes %j", (command, jobs) => {
    expect(expand(command)).toEqual([...jobs]);
  });

  test("a repeat repeats everything", () => {
    expect(expand("{a,b}", 2)).toEqual(["a", "b", "a", "b"]);
  });

  test("too many jobs and a reversed range are refused", () => {
    const list = `{${Array.from({ length: 101 }, (_value, index) => index).join(",")}}`;
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
