import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  canBeMadeAgain,
  chooseName,
  decideFate,
  describeFile,
  type FoundFile,
  matchesGlobs,
  readListed,
} from "./outputs.ts";

const ns = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n });
const name = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
});
const path = name.map((text) => text.replaceAll("/", "_"));

const anyFile: fc.Arbitrary<FoundFile> = fc.record({
  path,
  kind: fc.constantFrom("file", "link", "other"),
  inode: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  size: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  mtimeNs: ns,
  ctimeNs: ns,
});

const FILE: FoundFile = { path: "a/b", kind: "file", inode: 7n, size: 3n, mtimeNs: 1_500_000_000n, ctimeNs: 2n };
const NOTHING = { listed: new Set<string>(), isAsked: null };

const printAsFind = ({ path: at, kind, inode, size, mtimeNs, ctimeNs }: FoundFile): string => {
  const time = (value: bigint): string => `${value / 10n ** 9n}.${String(value % 10n ** 9n).padStart(9, "0")}0`;
  return `${kind === "link" ? "l" : "f"} ${inode} ${size} ${time(mtimeNs)} ${time(ctimeNs)} repo/${at}`;
};

describe("a file that was unpacked", () => {
  test("stays if it is as it was listed, whatever it is called", () => {
    fc.assert(
      fc.property(anyFile, (file) => {
        if (file.kind === "other") return;
        const listed = new Set([readListed(printAsFind(file))]);
        expect(decideFate(file, { listed, isAsked: null }, false)).toBe("stay");
        expect(decideFate(file, { listed, isAsked: () => true }, true)).toBe("stay");
      }),
    );
  });

  test("is kept if anything of it is another, its time by a billionth of a second", () => {
    const changed = fc.oneof(
      anyFile.map(({ inode }) => ({ inode })),
      anyFile.map(({ size }) => ({ size })),
      anyFile.map(({ mtimeNs }) => ({ mtimeNs })),
      anyFile.map(({ ctimeNs }) => ({ ctimeNs })),
      fc.constantFrom({ kind: "link" as const }, { path: "a/c" }, { ctimeNs: 3n }, { mtimeNs: 1_500_000_001n }),
    );
    fc.assert(
      fc.property(changed, (difference) => {
        const file = { ...FILE, ...difference };
        const isSame = describeFile(file) === describeFile(FILE);
        const fate = decideFate(file, { listed: new Set([describeFile(FILE)]), isAsked: null }, false);
        expect(fate).toBe(isSame ? "stay" : "keep");
      }),
    );
  });

  test("is known with times of fewer digits, as of a disk that has no more", () => {
    expect(readListed("f 7 3 1.5000000000 0.0000000020 repo/a/b")).toBe(describeFile(FILE));
    expect(readListed("f 7 3 1.5 0.000000002 repo/a/b")).toBe(describeFile(FILE));
    expect(readListed("f 7 3 1 2 repo/a  b")).toBe("f 7 3 1.000000000 2.000000000 a  b");
  });
});

describe("what is new", () => {
  test.each([
    ["a/model.pt", false, "keep"],
    ["a/model.pt", true, "leave out"],
    ["a/x.pyc", false, "leave out"],
    [".nfs000001", false, "leave out"],
    [".git", false, "leave out"],
    ["a/__pycache__", false, "leave out"],
    ["x.pyc.txt", false, "keep"],
    ["pyvenv.cfg", false, "keep"],
  ] as const)("%s, in what can be made again: %p, is to %s", (at, isMadeAgain, fate) => {
    expect(decideFate({ ...FILE, path: at }, NOTHING, isMadeAgain)).toBe(fate);
  });

  test("is kept by the job's own patterns alone, where it has some, and a pipe never", () => {
    const isAsked = (at: string): boolean => at.endsWith(".pyc");
    const decide = (at: string, kind: FoundFile["kind"] = "file") =>
      decideFate({ ...FILE, path: at, kind }, { listed: null, isAsked }, true);
    expect([decide("a.pyc"), decide("a.py"), decide("a.pyc", "other")]).toEqual(["keep", "leave out", "leave out"]);
  });

  test.each([
    ["venv", ["pyvenv.cfg", "bin"], true],
    ["conda", ["conda-meta"], true],
    ["node_modules", [], true],
    ["src", ["main.py", "pyvenv.cfg.txt"], false],
  ] as const)("in a folder %s with %j can be made again: %p", (folder, names, isSo) => {
    expect(canBeMadeAgain(folder, new Set(names))).toBe(isSo);
  });
});

test("a name is the first that is free, and never longer than a name may be", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 255 }), fc.nat(120), (text, taken) => {
      const names = new Set<string>();
      for (let number = 0; number <= taken; number += 1) {
        const chosen = chooseName(text, (one) => names.has(one));
        expect(names.has(chosen)).toBe(false);
        expect(chosen.length).toBeLessThanOrEqual(255);
        if (number === 0) expect(chosen).toBe(text);
        else expect(chosen).toEndWith(`~${number}`);
        names.add(chosen);
      }
    }),
    { numRuns: 30 },
  );
});

test.each([
  [["runs"], "runs/1/a", true],
  [["runs/1"], "runs/1/a", true],
  [["runs/1"], "runs", false],
  [["./runs/", "!runs/1"], "runs/1/a", false],
  [["runs", "!runs/1", "runs/1/a"], "runs/1/a", true],
  [["!runs"], "other", false],
  [[], "a", false],
] as const)("of the patterns %j the last that fits %s, or a folder on its way, counts: %p", (globs, at, isSo) => {
  expect(matchesGlobs(globs, at, (glob, way) => glob === way)).toBe(isSo);
});
