import { expect, test } from "bun:test";
import fc from "fast-check";
import { globsSchema } from "./files.ts";
import { describeFirstMistake, describeGlobMistake } from "./output-globs.ts";

const isTaken = (...globs: readonly string[]): boolean => globsSchema.safeParse(globs).success;

test.each(["*.pt", "**", "./runs/*", "runs/", "a..b", "..a/x", "~a", "a/~/b", "!runs/c.pt", "[~]/x", ".hidden/*", "…"])(
  "%j may match something",
  (glob) => {
    expect(describeGlobMistake(glob)).toBeNull();
    expect(isTaken("**", glob)).toBe(true);
  },
);

test.each([
  "../x",
  "a/../b",
  "a/..",
  "..",
  "!../x",
  "/abs/*.pt",
  "!/abs",
  "/",
  "~",
  "~/x",
  "!~/x",
  "a//b",
  "a/./b",
  ".",
])("%j can match nothing, and says so", (glob) => {
  expect(describeGlobMistake(glob)).toStartWith("The pattern can match nothing: ");
  expect(isTaken("**", glob)).toBe(false);
});

test.each(["", "!"])("%j is an empty pattern", (glob) => {
  expect(describeGlobMistake(glob)).toBe("The pattern is empty");
});

test("a pattern that takes out needs one before it that keeps", () => {
  expect(describeFirstMistake(["!x"])).toStartWith("The first pattern takes out of nothing");
  expect([describeFirstMistake([]), describeFirstMistake(["x", "!y"])]).toEqual([null, null]);
  expect([isTaken("!x"), isTaken("x", "!y"), isTaken()]).toEqual([false, true, true]);
});

test("the path of any file of a job is a pattern that is taken", () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !/[/\0]/.test(text) && !/^(\.{1,2}|~)$/.test(text));
  const path = fc.array(name, { minLength: 1 }).map((names) => names.join("/"));
  fc.assert(
    fc.property(
      path.filter((text) => !text.startsWith("!")),
      (text) => describeGlobMistake(text) === null,
    ),
  );
});
