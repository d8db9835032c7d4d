import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findScript } from "./find-script.ts";
import { readInterpreter } from "./read-interpreter.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-sbatch-"));
  for (const [name, first] of [
    ["a.sh", "#!/bin/bash"],
    ["login.sh", "#!/bin/bash -l"],
    ["e.py", "#!/usr/bin/env python3"],
  ] as const)
    writeFileSync(join(folder, name), `${first}\n#SBATCH --gpus=1\ntrain\n`);
  writeFileSync(join(folder, "plain.py"), "train()\n");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const findWords = (line: string, isLine: boolean): readonly string[] | undefined => {
  const found = findScript(
    isLine ? [line.replaceAll("@", `${folder}/`)] : line.replaceAll("@", `${folder}/`).split(" "),
  );
  return found?.words.map((word) => word.replace(`${folder}/`, "@"));
};

test.each([
  ["@a.sh", "bash @a.sh"],
  ["@a.sh x", "bash @a.sh x"],
  ["@login.sh", "bash -l @login.sh"],
  ["@e.py --lr 1", "python3 @e.py --lr 1"],
  ["bash @a.sh x", "bash @a.sh x"],
  ["bash -x @login.sh", "bash -x @login.sh"],
  ["/bin/bash -o pipefail @a.sh", "/bin/bash -o pipefail @a.sh"],
  ["python3 @e.py", "python3 @e.py"],
  ["LR=1 @e.py", "LR=1 python3 @e.py"],
])("%j runs a script by %j, as words and as a line", (line, words) => {
  expect(findWords(line, false)).toEqual(words.split(" "));
  if (line.includes(" ")) expect(findWords(line, true)).toEqual(words.split(" "));
});

test.each(["true", "@plain.py", "python3 @plain.py @a.sh", "bash -c @a.sh", "cat @a.sh", "@a.sh | cat", "@none.sh"])(
  "%j runs no script with lines for Slurm",
  (line) => {
    expect(findWords(line, true)).toBeUndefined();
  },
);

test.each([
  ["", "bash"],
  ["#!/bin/sh\n", "sh"],
  ["#! /usr/bin/bash -l -e\r\n", "bash -l -e"],
  ["#!/usr/bin/env -S python3 -u\n", "python3 -u"],
  ["#!/usr/bin/env bash", "bash"],
  ["#!/usr/bin/env A=1 python3", "/usr/bin/env A=1 python3"],
  ["#!/opt/conda/bin/python", "/opt/conda/bin/python"],
])("the first line %j says %j", (script, words) => {
  expect(readInterpreter(script).join(" ")).toBe(words);
});
