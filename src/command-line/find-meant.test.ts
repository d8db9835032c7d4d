import { expect, test } from "bun:test";
import { NX } from "../cli/program.ts";
import { verb as add } from "../cli/verbs/add.ts";
import { verb as redo } from "../cli/verbs/redo.ts";
import { findMeantLine } from "./find-meant.ts";

test.each([
  [["queue"], "nx queue"],
  [["help"], "nx help"],
  [["python3 train.py", "-g", "2"], "nx add -g 2 'python3 train.py'"],
  [["python3 train.py", "-yg2", "-t", "box"], "nx add -yg2 -t box 'python3 train.py'"],
  [["a | b", "--env", "NAME=two words"], "nx add --env 'NAME=two words' 'a | b'"],
  [["python3 train.py", "-c", "a.yaml"], "nx add -c 'python3 train.py a.yaml'"],
  [["python3 train.py", "-g", "two"], "nx add -g two 'python3 train.py'"],
  [["python3 train.py", "--lr", "0.1"], "nx add 'python3 train.py --lr 0.1'"],
  [["python3 train.py", "-g", "2", "--lr", "0.1"], "nx add -g 2 'python3 train.py --lr 0.1'"],
  [["python3 train.py", "--cpu", "--foo", "a"], "nx add --cpu 'python3 train.py --foo a'"],
  [["python3 train.py", "arg"], "nx add 'python3 train.py arg'"],
  [["N=two words", "python3 train.py", "arg"], `nx add 'N='\\''two words'\\'' python3 train.py arg'`],
  [["N=1 python3 train.py", "-g", "2"], "nx add -g 2 'N=1 python3 train.py'"],
  [["N=two words", "python3", "train.py"], null],
  [["N=two words"], null],
  [["python3", "-c", "x"], null],
  [["queue", "x"], null],
  [["python3 train.py"], null],
  [[], null],
] as const)("for the command %j the line %p was meant", (words, line) => {
  expect(findMeantLine(words, add, NX)).toBe(line);
});

test("for a command after -- it is said where the flags go", () => {
  expect(findMeantLine(["python3 train.py", "-g", "2"], redo, NX)).toBe("nx redo … -g 2 -- 'python3 train.py'");
});
