import { expect, test } from "bun:test";
import { posix } from "node:path";
import fc from "fast-check";
import { readLinkText } from "./link-text.ts";

const read = (text: string, prefix?: string): readonly [string, string | null] | null => {
  const link = readLinkText(text, prefix);
  return link.ok ? [link.value.path, link.value.target] : null;
};

test.each<readonly [string, string, readonly [string, string | null]]>([
  ["data", "", ["data", null]],
  ["./data//train/", "", ["data/train", null]],
  ["data=/mnt/lr=/x", "", ["data", "/mnt/lr=/x"]],
  ["lr=0.1/x", "", ["lr=0.1/x", null]],
  ["data", "src/a", ["src/a/data", null]],
  ["../data", "src/a", ["src/data", null]],
  ["../../data=/d", "src/a", ["data", "/d"]],
  ["..", "src/a", ["src", null]],
  [".", "src/a", ["src/a", null]],
])("%j, typed in %j, is %j", (text, prefix, link) => {
  expect(read(text, prefix)).toEqual(link);
});

test.each([
  ["", "src"],
  ["..", "src"],
  ["../..", "src"],
  ["../../x", "src"],
  ["/data", "src"],
  ["x/../../y", "src"],
  [".git", ""],
  ["../.git/hooks", "src"],
  ["a\0b", ""],
  ["data=/a\0", ""],
  ["=/a", ""],
  [".", ""],
  ["./", ""],
])("%j, typed in %j, is refused", (text, prefix) => {
  expect(read(text, prefix)).toBeNull();
});

test("a link that is taken is where the shell would look from there, below the top and outside .git", () => {
  const part = fc.constantFrom("a", "b", "..", ".", "", ".git");
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));
  const prefix = fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, prefix, (text, from) => {
      const [taken] = read(text, from) ?? [];
      if (taken === undefined) return;
      expect(taken).toBe(posix.join(from, text).replace(/\/$/, ""));
      expect(`/${taken}/`).not.toMatch(/\/\.{1,2}\/|\/\.git\/|\/\//);
    }),
    { numRuns: 1000 },
  );
});
