import { describe, expect, test } from "bun:test";
import { findBunGlobals, findForbiddenImports, findMissingExtensions } from "./import-rules.ts";
import { listSources, parseSource } from "./source-file.ts";

const sources = listSources("src");

const judge = (path: string, text: string): number => findForbiddenImports(parseSource(path, text)).length;

describe("the sources", () => {
  test("import only what their layer may", () => {
    expect(sources.flatMap(findForbiddenImports)).toEqual([]);
  });

  test("name files with their extension", () => {
    expect(sources.flatMap(findMissingExtensions)).toEqual([]);
  });

  test("use Bun only at the edge", () => {
    expect(sources.flatMap(findBunGlobals)).toEqual([]);
  });
});

describe("the import rules", () => {
  test.each([
    ["src/shared/a.ts", "zod"],
    ["src/server/core/a.ts", "../../shared/b.ts"],
    ["src/server/core/a.ts", "./b.ts"],
    ["src/server/scheduler/a.ts", "../core/b.ts"],
    ["src/server/api/routes/a.ts", "../b.ts"],
    ["src/server/external/sqlite/a.ts", "bun:sqlite"],
    ["src/server/main.ts", "./external/b.ts"],
    ["src/cli/verbs/a.ts", "../../shared/b.ts"],
  ])("%s may import %s", (path, from) => {
    expect(judge(path, `import { b } from "${from}";`)).toBe(0);
  });

  test.each([
    ["src/shared/a.ts", "node:fs"],
    ["src/shared/a.ts", "../server/core/b.ts"],
    ["src/server/core/a.ts", "node:crypto"],
    ["src/server/core/a.ts", "zod"],
    ["src/server/core/a.ts", "../external/b.ts"],
    ["src/server/core/a.ts", "./b.test.ts"],
    ["src/server/scheduler/a.ts", "../external/b.ts"],
    ["src/server/scheduler/a.ts", "../api/b.ts"],
    ["src/server/api/a.ts", "bun:sqlite"],
    ["src/server/api/a.ts", "../scheduler/b.ts"],
    ["src/server/external/a.ts", "../api/b.ts"],
    ["src/server/main.ts", "../cli/b.ts"],
    ["src/cli/verbs/a.ts", "../../server/core/b.ts"],
    ["src/elsewhere/a.ts", "zod"],
  ])("%s may not import %s", (path, from) => {
    expect(judge(path, `import { b } from "${from}";`)).toBe(1);
  });

  test.each([
    `import type { B } from "../api/b.ts";`,
    `export { b } from "../api/b.ts";`,
    `export * from "../api/b.ts";`,
    `const b = await import("../api/b.ts");`,
    `type B = import("../api/b.ts").B;`,
    `const b = await import(name);`,
  ])("every form of import is seen: %s", (text) => {
    expect(judge("src/server/core/a.ts", text)).toBe(1);
  });

  test("an import without its extension is seen", () => {
    expect(findMissingExtensions(parseSource("src/cli/a.ts", `import { b } from "./b";`))).toEqual([
      "src/cli/a.ts:1: ./b lacks its extension",
    ]);
  });

  test("Bun is seen in the core and allowed in an adapter", () => {
    expect(findBunGlobals(parseSource("src/server/core/a.ts", "Bun.gc(true);"))).toHaveLength(1);
    expect(findBunGlobals(parseSource("src/server/external/a.ts", "Bun.gc(true);"))).toEqual([]);
  });
});
