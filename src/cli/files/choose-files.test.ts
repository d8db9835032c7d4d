import { expect, test } from "bun:test";
import { createWireFile } from "../../../tests/support/files-server.ts";
import { phraseFailure } from "../../command-line/usage.ts";
import { chooseFiles, trimPath } from "./choose-files.ts";

const FILES = ["a", "r/1/a.pt", "r/1/b.txt", "r/2/a.pt", "[x]", "r.pt"].map((path) => createWireFile(path));

const choose = (...words: readonly string[]): readonly string[] | string => {
  const chosen = chooseFiles(FILES, words, "k3f9ab");
  return chosen.ok ? chosen.value.map(({ path }) => path) : phraseFailure(chosen.error);
};

test.each([
  [[], ["a", "r/1/a.pt", "r/1/b.txt", "r/2/a.pt", "[x]", "r.pt"]],
  [["."], ["a", "r/1/a.pt", "r/1/b.txt", "r/2/a.pt", "[x]", "r.pt"]],
  [["r"], ["r/1/a.pt", "r/1/b.txt", "r/2/a.pt"]],
  [["./r/1/"], ["r/1/a.pt", "r/1/b.txt"]],
  [["*.pt"], ["r.pt"]],
  [["**/*.pt"], ["r/1/a.pt", "r/2/a.pt", "r.pt"]],
  [["r/*"], ["r/1/a.pt", "r/1/b.txt", "r/2/a.pt"]],
  [["[x]"], ["[x]"]],
  [
    ["r.pt", "a"],
    ["a", "r.pt"],
  ],
])("%j chooses %j", (words, paths) => {
  expect(choose(...words)).toEqual(paths);
});

test("a word that chooses nothing is named, harmlessly", () => {
  expect(choose("a", "no\u001bsuch")).toBe("job k3f9ab has no file no\\x1bsuch; see nx files k3f9ab");
});

test.each([
  ["", ""],
  ["/", ""],
  ["./", ""],
  [".", ""],
  ["a/.", "a"],
  [".a", ".a"],
  ["a.", "a."],
  ["a//", "a"],
])("%j is %j for the server", (word, path) => {
  expect(trimPath(word)).toBe(path);
});
