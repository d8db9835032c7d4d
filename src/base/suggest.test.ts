import { expect, test } from "bun:test";
import { suggestNearest } from "./suggest.ts";

const VERBS = ["run", "add", "queue", "history", "kill"];

test("what a letter is missing of comes before what a word only begins", () => {
  expect(suggestNearest("gpu", ["gpu-idxs", "gpus"])).toBe("gpus");
  expect(suggestNearest("runn", ["running", "run"])).toBe("run");
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
