import { expect, test } from "bun:test";
import fc from "fast-check";
import { readSbatchLines } from "./sbatch-lines.ts";

const NOTHING = { gpus: 0, flags: {}, array: null, aside: [], impossible: [] };

test.each([
  ["#SBATCH --gres=gpu:2", { gpus: 2 }],
  ["#SBATCH --gres=gpu:a100:4", { gpus: 4, flags: { "gpu-type": "a100" } }],
  ["#SBATCH --gres=gpu", { gpus: 1 }],
  ["#SBATCH --gres=gpu:h100", { gpus: 1, flags: { "gpu-type": "h100" } }],
  ["#SBATCH --gpus=v100:2", { gpus: 2, flags: { "gpu-type": "v100" } }],
  ["#SBATCH --gres gpu", { gpus: 1 }],
  ["#SBATCH --gpus=h100:8 # all", { gpus: 8, flags: { "gpu-type": "h100" } }],
  ["#SBATCH -G 3 -N 1", { gpus: 3 }],
  ["#SBATCH --gpus-per-node=2", { gpus: 2 }],
  ["#SBATCH --gres=gpu:2\n#SBATCH --gres=gpu:1", { gpus: 1 }],
  ["#SBATCH --gpus-per-task=1\n#SBATCH --ntasks=1", { gpus: 1 }],
  ["#SBATCH --gpus-per-task=a100:2 -n 4", { gpus: 8, flags: { "gpu-type": "a100" }, aside: ["--ntasks=4"] }],
  ["#SBATCH --gpus-per-task=2 --ntasks-per-node=2", { gpus: 4, aside: ["--ntasks-per-node=2"] }],
  ["#SBATCH --gpus=4 --gpus-per-task=2", { gpus: 4 }],
  ["#SBATCH --gpus-per-task=2", { impossible: ["--gpus-per-task=2 (of how many tasks?)"] }],
  ["#SBATCH --gres=gpu:2 --gpus-per-node=2", { gpus: 2 }],
  ["#SBATCH --gres=gpu:2 --gpus=4", { impossible: ["--gres=gpu:2 (which of them?)", "--gpus=4 (which of them?)"] }],
  ["#SBATCH --gpus-per-node=2 --nodes=2", { gpus: 2, impossible: ["--nodes=2"] }],
  ["#SBATCH --gpus-per-socket=1", { impossible: ["--gpus-per-socket=1"] }],
  ["#SBATCH --tres-per-task=gres/gpu:1 --gres=gpu:1", { impossible: ["--tres-per-task=gres/gpu:1"] }],
  ["#SBATCH --gres=gpu:a100:1,gpu:v100:2", { impossible: ["--gres=gpu:a100:1,gpu:v100:2"] }],
  ["#SBATCH --gpus=a100:1,h100:1", { impossible: ["--gpus=a100:1,h100:1"] }],
  ["#SBATCH --gres=gpu:1 --cpus-per-gpu=4 -p gpu", { gpus: 1, aside: ["--cpus-per-gpu=4", "-p=gpu"] }],
  ["#SBATCH -p gpu", { aside: ["-p=gpu"], impossible: ["-p=gpu (how many GPUs?)"] }],
  ["#SBATCH --gpus=0", {}],
  ["#SBATCH --gres=shard:2", { impossible: ["--gres=shard:2"] }],
  ["#SBATCH --array=1-10", { array: "{1..10}" }],
  ["#SBATCH -a 0-9:3%2", { array: "{0..9..3}", flags: { "max-parallel": "2" } }],
  ["#SBATCH --array=1-4%0", { impossible: ["--array=1-4%0"] }],
  ["#SBATCH --array=01-10,007", { array: "{{1..10},7}" }],
  ["#SBATCH --array=5-1", { impossible: ["--array=5-1"] }],
  ["#SBATCH --array=1-5:0", { impossible: ["--array=1-5:0"] }],
  ["#SBATCH --output=\"log %j.txt\" --gres='gpu:2' # x", { gpus: 2, aside: ["--output='log %j.txt'"] }],
  ["#SBATCH --comment a#b -J x\\ y", { flags: { note: "a#b" }, aside: ["--job-name='x y'"] }],
  ["#SBATCH --array=1,5-6", { array: "{1,{5..6}}" }],
  ["#SBATCH --array=7", { array: "7" }],
  ["#SBATCH --array=x", { impossible: ["--array=x"] }],
  ["#SBATCH --nodes=2", { impossible: ["--nodes=2"] }],
  ["#SBATCH --time 1:00 -J name --exclusive", { flags: { name: "name", time: "1m" }, aside: ["--exclusive"] }],
  ["#!/bin/bash\n# a\n\n#SBATCH --gpus 1\ntrain\n#SBATCH --gpus 2", { gpus: 1 }],
])("%j means %j", (script, meaning) => {
  expect(readSbatchLines(script)).toEqual({ ...NOTHING, ...meaning });
});

test.each(["", "train\n#SBATCH --gpus 1", "# SBATCH --gpus 1", "##SBATCH --gpus 1"])("%j has none", (script) => {
  expect(readSbatchLines(script)).toBeNull();
});

test("no request for GPUs that is not understood becomes a job without one", () => {
  const name = fc.constantFrom("gpus-per-socket", "gpus-per-board", "tres-per-node", "tres-per-task", "gpus", "gres");
  const value = fc.oneof(
    fc.constantFrom("gpu", "gpu:x:y", "gres/gpu=1", "a100:1,h100:1", "gpu:1K", "x"),
    fc.stringMatching(/^[a-z]{1,4}:[a-z]{1,4}$/),
  );
  fc.assert(
    fc.property(name, value, (option, request) => {
      const lines = readSbatchLines(`#SBATCH --${option}=${request}\n`);
      expect(lines?.gpus !== 0 || lines.impossible.length > 0).toBe(true);
    }),
  );
});
