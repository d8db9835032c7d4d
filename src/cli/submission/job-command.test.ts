import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { isBlank, joinCommand } from "./job-command.ts";

test("one word is a line for the shell", () => {
  expect(joinCommand(["a | b && c"])).toBe("a | b && c");
});

test("plain words need no quotes", () => {
  expect(joinCommand(["python3", "train.py", "--lr", "0.1"])).toBe("python3 train.py --lr 0.1");
});

test("several words arrive in a real bash as they were typed", () => {
  const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && text.isWellFormed());
  fc.assert(
    fc.property(fc.array(word, { minLength: 2, maxLength: 6 }), (words) => {
      const command = joinCommand(["printf", "%s\\0", ...words]);
      const { stdout } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
      expect(stdout).toBe(words.map((text) => `${text}\0`).join(""));
    }),
    { numRuns: 60 },
  );
});

test("a variable before the program is one whatever its value, later it is a word like others", () => {
  expect(joinCommand(["LR=0.1", "NAME=two words", "E=", "env", "A=b c"])).toBe(
    "LR=0.1 NAME='two words' E= env 'A=b c'",
  );
  expect(joinCommand(["1A=b c", "x"])).toBe("'1A=b c' x");
  const value = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && text.isWellFormed());
  fc.assert(
    fc.property(value, value, (one, more) => {
      const command = joinCommand([`ONE=${one}`, `MORE+=${more}`, "printenv", "-0", "ONE", "MORE"]);
      const { stdout } = spawnSync("bash", ["-c", command], { encoding: "utf8", env: { PATH: process.env["PATH"] } });
      expect(stdout).toBe(`${one}\0${more}\0`);
    }),
    { numRuns: 60 },
  );
});

test("nothing but blanks and comments says nothing that a shell could run", () => {
  for (const line of ["", " ", "#comment", "  # a\n\n#b", "\n", "#a\r\n"]) expect(isBlank([line])).toBe(true);
  for (const line of ["a # b", "# a\nb", "a#b", "$#", "'#'"]) expect(isBlank([line])).toBe(false);
  expect(isBlank(["#", "a"])).toBe(false);
});
