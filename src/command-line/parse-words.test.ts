import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { NX } from "../cli/program.ts";
import { verb as add } from "../cli/verbs/add.ts";
import { verb as history } from "../cli/verbs/history.ts";
import { verb as kill } from "../cli/verbs/kill.ts";
import { verb as redo } from "../cli/verbs/redo.ts";
import { createProgram } from "../server/program.ts";
import { verb as token } from "../server/verbs/token.ts";
import type { Invocation, Verb } from "./command.ts";
import { parseWords } from "./parse-words.ts";
import { phraseFailure } from "./usage.ts";

const parse = (words: readonly string[], verb: Verb = add): Invocation => {
  const parsed = parseWords(words, verb, NX);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { flags: { ...parsed.value.flags }, words: parsed.value.words };
};

const refuse = (words: readonly string[], verb: Verb = add): string => {
  const parsed = parseWords(words, verb, NX);
  if (parsed.ok) throw new Error("it was accepted");
  expect(parsed.error.exitCode).toBe(2);
  return phraseFailure(parsed.error);
};

describe("a command's words", () => {
  test("begin at the first word that is no flag and are kept, flags and all", () => {
    expect(parse(["-g", "2", "python3", "-u", "train.py", "--priority", "9"])).toEqual({
      flags: { gpus: "2" },
      words: ["python3", "-u", "train.py", "--priority", "9"],
    });
  });

  test("are kept where they look like flags and their values", () => {
    const words = ["notify-me", "-n", "discord", "phone", "-p", "-5", "-t", "lab", "--"];
    expect(parse(["-n", "phone", ...words])).toEqual({ flags: { notify: ["phone"] }, words });
  });

  test("begin right after the notifications", () => {
    expect(parse(["-n", "discord", "phone", "python3", "phone"]).words).toEqual(["python3", "phone"]);
    expect(parse(["--notify=discord", "phone"]).words).toEqual(["phone"]);
  });

  test("may begin with a flag after --", () => {
    expect(parse(["-y", "--", "-weird", "--", "x"])).toEqual({ flags: { yes: true }, words: ["-weird", "--", "x"] });
  });

  test.each([
    [["-p", "-5", "x"], { priority: "-5" }],
    [["-p-5", "x"], { priority: "-5" }],
    [["--priority=-5", "x"], { priority: "-5" }],
    [["--priority", "-5", "x"], { priority: "-5" }],
    [["-yq", "x"], { yes: true, quiet: true }],
    [["-yp", "3", "x"], { yes: true, priority: "3" }],
    [["-e", "A=1", "-e", "B=2", "x"], { env: ["A=1", "B=2"] }],
    [["-t", "lab", "x"], { target: "lab" }],
    [["-n", "discord", "phone", "x"], { notify: ["discord,phone"] }],
    [["-n", "discord", "-n", "phone", "x"], { notify: ["discord", "phone"] }],
    [["--notify", "phone", "discord", "-y", "x"], { notify: ["phone,discord"], yes: true }],
    [["-yn", "discord", "phone", "x"], { notify: ["discord,phone"], yes: true }],
    [["-n", "pigeon", "x"], { notify: ["pigeon"] }],
  ])("%j gives flags", (words, flags) => {
    expect(parse(words)).toEqual({ flags, words: ["x"] });
  });
});

describe("the words of other verbs", () => {
  test("may stand before and after flags", () => {
    expect(parse(["k3f9ab", "-y", "0"], kill)).toEqual({ flags: { yes: true }, words: ["k3f9ab", "0"] });
  });
});

describe("words with a command after --", () => {
  const run = (words: readonly string[]): unknown => {
    const parsed = parseWords(words, redo, NX);
    return parsed.ok && { ...parsed.value, flags: { ...parsed.value.flags } };
  };

  test.each([
    [["k3", "m2", "-p", "3"], { flags: { priority: "3" }, words: ["k3", "m2"] }],
    [
      ["k3", "-g", "2", "--", "a", "-g", "--", "b"],
      { flags: { gpus: "2" }, words: ["k3"], command: ["a", "-g", "--", "b"] },
    ],
    [["k3", "--"], { flags: {}, words: ["k3"], command: [] }],
    [["--", "true"], { flags: {}, words: [], command: ["true"] }],
  ])("%j", (words, parsed) => {
    expect(run(words)).toEqual(parsed);
  });
});

describe("wrong usage", () => {
  test("a misspelt flag gets the nearest one", () => {
    expect(refuse(["--prioritty", "3", "x"])).toBe("--prioritty is not a flag of nx add; did you mean --priority?");
  });

  test.each([
    [["--gpus"], "--gpus needs a value, as in: --gpus N"],
    [["-g"], "--gpus needs a value, as in: --gpus N"],
    [["-g", "-y", "x"], "--gpus needs a value, as in: --gpus N"],
    [["-e", "A=1", "-t"], "--target needs a value, as in: --target NAME"],
    [["-Z", "x"], "-Z is not a flag of nx add; see nx add --help"],
    [["-yZ", "x"], "-Z is not a flag of nx add; see nx add --help"],
    [["--no-gi", "x"], "--no-gi is not a flag of nx add; did you mean --no-git?"],
    [["-5", "x"], "-5 is not a flag of nx add; see nx add --help"],
  ])("%j is told in one line", (words, message) => {
    expect(refuse(words)).toBe(message);
  });

  test("any words are taken or refused in one line", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("-", "--", "-n", "-p", "-5", "discord", "--env=", "-ye", "--no-git"),
    );
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom(add, kill, history, token), (words, verb) => {
        const parsed = parseWords(words, verb, verb === token ? createProgram() : NX);
        if (!parsed.ok) expect(parsed.error.message).toMatch(/^[^\n]+$/);
      }),
    );
  });

  test("a switch takes no value", () => {
    expect(refuse(["--yes=no", "x"])).toContain("--yes");
  });

  test("a verb refuses more words than it takes", () => {
    expect(refuse(["one", "two"], history)).toContain('does not take "two"');
  });
});

describe("a flag whose value may be left out", () => {
  const flags = [
    { long: "mock-gpus", short: "m", value: "N", bare: "true", help: "" },
    { long: "port", value: "N", check: (text: string) => (/^\d+$/.test(text) ? null : "be a number"), help: "" },
  ];
  const run = (words: readonly string[]) => parseWords(words, kill, { name: "box", flags });

  test.each([
    [["--mock-gpus"], { "mock-gpus": "true" }, []],
    [["--mock-gpus", "--port", "1"], { "mock-gpus": "true", port: "1" }, []],
    [["--mock-gpus", "3", "x"], { "mock-gpus": "3" }, ["x"]],
    [["--mock-gpus=3", "x"], { "mock-gpus": "3" }, ["x"]],
    [["-m", "-y"], { "mock-gpus": "true", yes: true }, []],
    [["x", "-m"], { "mock-gpus": "true" }, ["x"]],
    [["-m", "--", "-x"], { "mock-gpus": "true" }, ["-x"]],
  ])("%j", (words, flagValues, others) => {
    expect(run(words)).toEqual({ ok: true, value: { flags: flagValues, words: others } });
  });

  test.each([
    [["--mock-gpus="], "--mock-gpus needs a value, as in: --mock-gpus N"],
    [["--port", "a\nb"], '--port must be a number, not "a\\nb"'],
    [["--prt"], "--prt is not a flag of box kill; did you mean --port?"],
    [["-z"], "-z is not a flag of box kill; see box kill --help"],
  ])("%j is told in one line, with the program's name", (words, message) => {
    const refused = run(words);
    expect(refused).toMatchObject({ ok: false, error: { exitCode: 2 } });
    expect(!refused.ok && phraseFailure(refused.error)).toBe(message);
  });
});
