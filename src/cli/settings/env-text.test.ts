import { expect, test } from "bun:test";
import fc from "fast-check";
import { listBrokenLines, readEnv, setInEnv } from "./env-text.ts";

const FILE = `# keys
export WANDB_API_KEY='a b' # mine
PLAIN=1
LONG="one
PLAIN=not this
two"

LAST=x`;

test("a set variable stays where it stood, with everything around it", () => {
  expect(setInEnv(FILE, "PLAIN", "2 3")).toBe(FILE.replace("PLAIN=1", "PLAIN='2 3'"));
  expect(setInEnv(FILE, "LONG", "short")).toBe(FILE.replace(/LONG="[^"]*"/, "LONG=short"));
  expect(setInEnv(FILE, "NEW", "1")).toBe(`${FILE}\nNEW=1\n`);
  expect(setInEnv("", "NEW", "")).toBe("NEW=\n");
});

test("a removed variable leaves nothing behind, however often it stood there", () => {
  expect(setInEnv(FILE, "LONG", null)).toBe(FILE.replace(/LONG="[^"]*"\n/, ""));
  expect(setInEnv("A=1\nB=2\nA=3\n", "A", null)).toBe("B=2\n");
  expect(setInEnv("A=1\nB=2\nA=3\n", "A", "4")).toBe("A=4\nB=2\n");
});

test("any value that can be written is read back, and no other variable changes", () => {
  const value = fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "`", "#", "\\", "$", "=", "\n", "é") });
  fc.assert(
    fc.property(value, value, (one, other) => {
      const text = setInEnv("# top\n", "ONE", one);
      const both = text === null ? null : setInEnv(text, "OTHER", other);
      if (both === null) return;
      expect(readEnv(both)).toEqual({ ONE: one, OTHER: other });
      expect(both).toStartWith("# top\n");
      expect(readEnv(setInEnv(both, "ONE", null) ?? "")).toEqual({ OTHER: other });
    }),
    { numRuns: 500, examples: [["'\\", '"']] },
  );
});

test.each(["secret", "a b", "it's", 'say "hi"', "a#b", "$HOME", "a=b", "line\nline", "C:\\dir", "-----KEY\nx==\n---"])(
  "%j can be written",
  (value) => {
    expect(readEnv(setInEnv("", "A", value) ?? "")).toEqual({ A: value });
  },
);

test.each([
  [FILE, []],
  ["A=1\n\n# b\nwhat is this\n", [4]],
  ['A="1\n2"\noops', [3]],
  ["", []],
  ["A: 1\r\nB=2\r1C=3\nexport D\n  # x\nA-B=1\n", [1, 3, 4, 6]],
  ["A='1\nB=2", [1]],
])("the lines of %j that are no variable are %j", (text, lines) => {
  expect(listBrokenLines(text)).toEqual([...lines]);
});
