import { describe, expect, test } from "bun:test";
import { parseWords } from "./parse-words.ts";
import type { Invocation, Verb } from "./verb.ts";
import { verb as add } from "./verbs/add.ts";
import { verb as kill } from "./verbs/kill.ts";

const parse = (words: readonly string[], verb: Verb = add): Invocation => {
  const parsed = parseWords(words, verb);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { flags: { ...parsed.value.flags }, words: parsed.value.words };
};

const refuse = (words: readonly string[], verb: Verb = add): string => {
  const parsed = parseWords(words, verb);
  if (parsed.ok) throw new Error("it was accepted");
  expect(parsed.error.exitCode).toBe(2);
  return parsed.error.message;
};

describe("a command's words", () => {
  test("begin at the first word that is no flag and are kept, flags and all", () => {
    expect(parse(["-g", "2", "python3", "-u", "train.py", "--priority", "9"])).toEqual({
      flags: { gpus: "2" },
      words: ["python3", "-u", "train.py", "--priority", "9"],
    });
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
  ])("%j gives flags", (words, flags) => {
    expect(parse(words)).toEqual({ flags, words: ["x"] });
  });
});

describe("the words of other verbs", () => {
  test("may stand before and after flags", () => {
    expect(parse(["k3f9ab", "-y", "0"], kill)).toEqual({ flags: { yes: true }, words: ["k3f9ab", "0"] });
  });
});

describe("wrong usage", () => {
  test("a misspelt flag gets the nearest one", () => {
    expect(refuse(["--prioritty", "3", "x"])).toBe("--prioritty is not a flag of nx add; did you mean --priority?");
  });

  test("a flag without its value is named", () => {
    expect(refuse(["--gpus"])).toContain("--gpus");
  });

  test("a switch takes no value", () => {
    expect(refuse(["--yes=no", "x"])).toContain("--yes");
  });
});
