import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { joinCommand } from "../submission/job-command.ts";
import { listCommandWords } from "./command-words.ts";

test.each<readonly [string, readonly string[]]>([
  ["python train.py --data=data/x", ["python", "train.py", "--data=data/x", "data/x"]],
  ["cat 'my data/a b' \"c d\"/e f\\ g", ["cat", "my data/a b", "c d/e", "f g"]],
  ["(cd data&&ls)|tee log>out;x<in", ["cd", "data", "ls", "tee", "log", "out", "x", "in"]],
  ["DATA=data python t.py", ["DATA=data", "data", "python", "t.py"]],
  ["a 'open", ["a", "open"]],
  ["  ", []],
])("the words of %j", (command, words) => {
  expect(listCommandWords([command, command])).toEqual(words);
});

test("are those that bash makes of a quoted command", () => {
  const word = fc.string({
    unit: fc.constantFrom("a", " ", "'", '"', "\\", "$", "/", "é"),
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(word, { minLength: 2, maxLength: 5 }), (words) => {
      const command = joinCommand(words);
      const { stdout } = spawnSync("bash", ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8" });
      expect(listCommandWords([command])).toEqual([...new Set(stdout.split("\0").slice(0, -1))]);
    }),
    { numRuns: 40 },
  );
});
