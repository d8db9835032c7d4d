import { expect, test } from "bun:test";
import fc from "fast-check";
import { joinCommand } from "../job-command.ts";
import { findDoubtfulLists } from "./doubtful-lists.ts";

const bothSpellings = (words: readonly string[]): readonly (readonly string[])[] =>
  [words.join("\0"), joinCommand(words, false)].map(findDoubtfulLists);

test.each([
  [["sed", "-E", "s/a{1,2}/b/"], ["{1,2}"]],
  [["sed", "-e", "s/a b/c/", "-e", "s/a{1,2}/b/"], ["{1,2}"]],
  [["sed", "-n", "/x/{p,q}"], ["{p,q}"]],
  [["grep", "-E", "a{2,3}"], ["{2,3}"]],
  [["grep", "-m", "1", "a{2,3}", "f"], ["{2,3}"]],
  [["grep", "--regexp=a{2,3}"], ["{2,3}"]],
  [["awk", "/a{2,3}/"], ["{2,3}"]],
  [["LC_ALL=C", "/usr/bin/gawk", "-F", ",", "{1..3}"], ["{1..3}"]],
  [["jq", "{a,b}"], ["{a,b}"]],
  [["jq", "--arg", "x", "1", ".[]|{name,id}", "f"], ["{name,id}"]],
  [["timeout", "10m", "find", ".", "-exec", "cp", "{a,b}", ";"], ["{a,b}"]],
  [["python", "-c", "x={1,2}"], ["{1,2}"]],
  [["python3.12", "-u", "-W", "ignore", "-c", "print(1 if x=={1,2} else 0)"], ["{1,2}"]],
  [["uv", "run", "python", "-c", "x={1,2}", "{3,4}"], ["{1,2}"]],
  [["python", "-cx={1,2}"], ["{1,2}"]],
  [["bash", "-euo", "pipefail", "-c", "echo {a,b}"], ["{a,b}"]],
  [["bash", "-lc", "for i in 1 2; do echo {a,b}; done"], ["{a,b}"]],
  [["perl", "-pe", "s/a{1,2}/b/", "f"], ["{1,2}"]],
  [["ruby", "-e", "x={a,b}"], ["{a,b}"]],
  [["node", "--eval", "x={a,b}"], ["{a,b}"]],
  [["Rscript", "--vanilla", "-e", "{a,b}"], ["{a,b}"]],
  [["julia", "--project=.", "-e", "f({a,b})"], ["{a,b}"]],
  [["ssh", "box", "while true; do echo {a,b}; done"], ["{a,b}"]],
] as const)("of %j the lists %j may be a program's text", (words, lists) => {
  expect(bothSpellings(words)).toEqual([lists, lists].map((list) => [...list]));
});

test.each([
  ["for i in 1 2 3; do echo {a,b}; done", ["{a,b}"]],
  ["cat <<END\n{a,b}\nEND", ["{a,b}"]],
  ["f() { echo {a,b}; }; f", ["{a,b}"]],
  ["cat f | jq '{a,b}' > g", ["{a,b}"]],
  ["A=1 python train.py --lr {1,2} && sed s/a{1,2}/b/ f", ["{1,2}"]],
  ['x=$(bash -c "echo {a,b}")', ["{a,b}"]],
] as const)("of the line %j the lists %j may be a program's text", (line, lists) => {
  expect(findDoubtfulLists(line)).toEqual([...lists]);
});

test.each([
  [["python", "train.py", "--lr", "{1,2}"]],
  [["python", "train.py", "-c", "{a,b}.yaml"]],
  [["python", "-m", "train", "-e", "{1..3}"]],
  [["python", "-u", "{a,b}.py"]],
  [["bash", "-e", "train.sh", "{1,2}"]],
  [["awk", "\\{print $1, $2\\}", "{a,b}"]],
  [["perl", "train.pl", "{1,2}"]],
  [["julia", "-t", "{1,2}", "train.jl"]],
  [["train", "--task", "{grep,find}", "--tool", "sed", "{a,b}"]],
  [["torchrun", "--nproc-per-node", "{1,2}", "train.py", "--model{1,2}"]],
])("the lists of %j are values", (words) => {
  expect(bothSpellings(words)).toEqual([[], []]);
});

test("any list in what an interpreter is given as code is in doubt, in both spellings", () => {
  const interpreter = fc.constantFrom("python -c", "bash -c", "sh -xc", "perl -ne", "node -e", "Rscript -e", "zsh -c");
  const list = fc.array(fc.stringMatching(/^[a-z0-9]{1,3}$/), { minLength: 2, maxLength: 3 }).map((all) => `{${all}}`);
  const text = fc.stringMatching(/^[a-z=+. ]{0,6}$/);
  fc.assert(
    fc.property(interpreter, text, list, text, (start, before, braces, after) => {
      const words = [...start.split(" "), `${before}${braces}${after}`, "x"];
      expect(bothSpellings(words)).toEqual([[braces], [braces]]);
    }),
  );
});
