import { expect, test } from "bun:test";
import { showDifferences } from "./show-differences.ts";

test.each([
  [
    ["python3 train.py --lr 0.1 --seed 1", "python3 train.py --lr 0.1 --seed 2"],
    ["… --seed 1", "… --seed 2"],
  ],
  [
    ["python3 train.py --lr 0.01 x", "python3 train.py --lr 0.02 x"],
    ["… --lr 0.01 x", "… --lr 0.02 x"],
  ],
  [
    ["train --lr=0.01", "train --lr=0.02"],
    ["… --lr=0.01", "… --lr=0.02"],
  ],
  [
    ["train x", "train x --amp"],
    ["… x", "… x --amp"],
  ],
  [
    ["echo a", "print a"],
    ["echo a", "print a"],
  ],
  [
    ["echo a", "echo a"],
    ["echo a", "echo a"],
  ],
])("%j are shown as %j", (commands, shown) => {
  expect(showDifferences(commands)).toEqual(shown);
});
