import { expect, test } from "bun:test";
import { readSbatchLines } from "./sbatch-lines.ts";

const NOTHING = { gpus: 0, array: null, aside: [], impossible: [] };

test.each([
  ["#SBATCH --gres=gpu:2", { gpus: 2 }],
  ["#SBATCH --gres=gpu:a100:4", { gpus: 4 }],
  ["#SBATCH --gres gpu", { gpus: 1 }],
  ["#SBATCH --gpus=h100:8 # all", { gpus: 8 }],
  ["#SBATCH -G 3 -N 1", { gpus: 3 }],
  ["#SBATCH --gpus-per-node=2", { gpus: 2 }],
  ["#SBATCH --gres=gpu:2\n#SBATCH --gres=gpu:1", { gpus: 1 }],
  ["#SBATCH --gres=shard:2", { impossible: ["--gres=shard:2"] }],
  ["#SBATCH --array=1-10", { array: "{1..10}" }],
  ["#SBATCH -a 0-9:3%2", { array: "{0..9..3}" }],
  ["#SBATCH --array=1,5-6", { array: "{1,{5..6}}" }],
  ["#SBATCH --array=7", { array: "7" }],
  ["#SBATCH --array=x", { impossible: ["--array=x"] }],
  ["#SBATCH --nodes=2", { impossible: ["--nodes=2"] }],
  ["#SBATCH --time 1:00 -J name --exclusive", { aside: ["--time=1:00", "-J=name", "--exclusive"] }],
  ["#!/bin/bash\n# a\n\n#SBATCH --gpus 1\ntrain\n#SBATCH --gpus 2", { gpus: 1 }],
])("%j means %j", (script, meaning) => {
  expect(readSbatchLines(script)).toEqual({ ...NOTHING, ...meaning });
});

test.each(["", "train\n#SBATCH --gpus 1", "# SBATCH --gpus 1", "##SBATCH --gpus 1"])("%j has none", (script) => {
  expect(readSbatchLines(script)).toBeNull();
});
