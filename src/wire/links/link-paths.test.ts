import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { describeLinkMistake, describeLinksMistake, describeTargetMistake } from "./link-paths.ts";
import { linksSchema } from "./link-schema.ts";

const isTaken = (path: string, target = "/data"): boolean => linksSchema.safeParse([{ path, target }]).success;

test.each(["data", ".venv", "a/b c/…", "-rf", "..a", "a..", "~", "a=b", ".gitignore", "git/.github"])(
  "%j may be a link",
  (path) => {
    expect([describeLinkMistake(path), isTaken(path)]).toEqual([null, true]);
  },
);

test.each([
  "",
  ".",
  "./",
  "..",
  "../x",
  "a/../b",
  "a/..",
  "/",
  "/data",
  "a//b",
  "a/",
  "./a",
  "a\0b",
  ".git",
  "a/.git",
  ".git/x",
  "a/.git/x",
  "x".repeat(4096),
])("%j may not", (path) => {
  expect([describeLinkMistake(path) === null, isTaken(path)]).toEqual([false, false]);
});

test.each(["", "data", "~/data", "./data", "/a\0b", `/${"x".repeat(4095)}`])("%j is no target", (target) => {
  expect([describeTargetMistake(target) === null, isTaken("data", target)]).toEqual([false, false]);
});

const part = fc.constantFrom("a", "b", "..", ".", "", ".git", "a\0", "c d", "-", "é");
const path = fc.array(part, { maxLength: 5 }).map((parts) => parts.join("/"));

describe("a path that is taken", () => {
  test("lies below the top, outside .git, whatever it is made of", () => {
    fc.assert(
      fc.property(path, (text) => {
        const leads = new URL(`file:///top/${text.replaceAll("\0", "%00")}`).pathname;
        const mayBe = leads.startsWith("/top/") && leads !== "/top/" && !/\/\.git(\/|$)|%00/.test(leads);
        if (describeLinkMistake(text) === null) expect(mayBe).toBe(true);
        expect(isTaken(text)).toBe(describeLinkMistake(text) === null);
      }),
    );
  });

  test("is neither another one nor lies in it", () => {
    const paths = fc.array(fc.array(fc.constantFrom("a", "b", "a-"), { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(paths, (lists) => {
        const texts = lists.map((parts) => parts.join("/"));
        const clashes = texts.some((one, at) =>
          texts.some((other, index) => index !== at && `${one}/`.startsWith(`${other}/`)),
        );
        expect(describeLinksMistake(texts) !== null).toBe(clashes);
        expect(linksSchema.safeParse(texts.map((text) => ({ path: text, target: "/data" }))).success).toBe(!clashes);
      }),
    );
  });
});
