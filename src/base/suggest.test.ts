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
  ["ikll", "kill"],
  ["completely", null],
])("%s is taken for %p", (word, nearest) => {
  expect(suggestNearest(word, VERBS)).toBe(nearest);
});

test("two letters in the wrong order are one mistake", () => {
  expect(suggestNearest("stpo", ["top", "stop"])).toBe("stop");
});

test("a foreign name must be nearer than those that are known, and a short one exact", () => {
  expect(suggestNearest("cancle", VERBS, ["cancel"])).toBe("cancel");
  expect(suggestNearest("rin", VERBS, ["rm", "rinn"])).toBe("run");
  expect(suggestNearest("lx", VERBS, ["ls"])).toBeNull();
  expect(suggestNearest("ls", VERBS, ["ls"])).toBe("ls");
});
