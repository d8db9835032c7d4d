import { expect, test } from "bun:test";
import { suggestNearest } from "./suggest.ts";

const VERBS = ["run", "add", "queue", "history", "kill"];

test("of names that a word begins the shortest is taken", () => {
  expect(suggestNearest("gpu", ["cpu", "gpu-idxs", "gpus"])).toBe("gpus");
});

test.each([
  ["quue", "queue"],
  ["histroy", "history"],
  ["kil", "kill"],
  ["hist", "history"],
  ["completely", null],
])("%s is taken for %p", (word, nearest) => {
  expect(suggestNearest(word, VERBS)).toBe(nearest);
});
