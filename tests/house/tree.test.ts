import { describe, expect, test } from "bun:test";
import { listSources, parseSource } from "./source-file.ts";
import { findCrowdedFolders, findSharedNames } from "./tree-rules.ts";

const sources = listSources("src");

const exporting = (path: string, name: string) => parseSource(path, `export const ${name} = 1;`);

const name = (folder: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${folder}/${index}.ts`);

describe("the tree", () => {
  test("has no folder that one can't look over", () => {
    expect(findCrowdedFolders(sources.map(({ path }) => path))).toEqual([]);
  });

  test("has no name that two files of one program export", () => {
    expect(findSharedNames(sources)).toEqual([]);
  });
});

describe("the rules of the tree", () => {
  test("a folder may have 20 files and their tests, one of verbs or routes more", () => {
    expect(findCrowdedFolders([...name("src/a", 20), "src/a/0.test.ts", ...name("src/cli/verbs", 30)])).toEqual([]);
    expect(findCrowdedFolders(name("src/a", 21))).toEqual(["src/a: 21 files, more than 20"]);
  });

  test("a name may be exported by each program once, tests and the verbs' own aside", () => {
    const [client, server] = [exporting("src/cli/a.ts", "run"), exporting("src/server/a.ts", "run")];
    expect(findSharedNames([client, server, exporting("src/cli/a.test.ts", "run")])).toEqual([]);
    expect(findSharedNames([client, exporting("src/base/b.ts", "run")])).toEqual([
      "nx: run is exported by src/cli/a.ts and src/base/b.ts",
    ]);
    expect(findSharedNames([exporting("src/cli/a.ts", "verb"), exporting("src/cli/b.ts", "verb")])).toEqual([]);
  });

  test("types and functions count", () => {
    const files = ["export type A = 1;", "export function A() {}"].map((text, at) =>
      parseSource(`src/cli/${at}.ts`, text),
    );
    expect(findSharedNames(files)).toEqual(["nx: A is exported by src/cli/0.ts and src/cli/1.ts"]);
  });
});
