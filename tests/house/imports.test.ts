import { describe, expect, test } from "bun:test";
import {
  findBunGlobals,
  findCircles,
  findDisorder,
  findFolderCircles,
  findForbiddenImports,
  findMissingExtensions,
} from "./import-rules.ts";
import { isTest, listSources, parseSource } from "./source-file.ts";

const sources = listSources("src");
const untested = sources.filter(({ path }) => !isTest(path));

const judge = (path: string, text: string): number => findForbiddenImports(parseSource(path, text)).length;

const importing = (path: string, ...from: readonly string[]) =>
  parseSource(path, from.map((one, index) => `import type { B${index} } from "${one}";`).join("\n"));

describe("the sources", () => {
  test("import only what their layer may", () => {
    expect(sources.flatMap(findForbiddenImports)).toEqual([]);
  });

  test("keep to the order of the rooms of their layer", () => {
    expect(sources.flatMap(findDisorder)).toEqual([]);
  });

  test("import each other in no circle, nor do folders", () => {
    expect([...findCircles(untested), ...findFolderCircles(untested)]).toEqual([]);
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
    ["src/wire/a.ts", "zod"],
    ["src/wire/a.ts", "../base/b.ts"],
    ["src/tools/a.ts", "node:fs"],
    ["src/tools/sockets/open-libc.ts", "bun:ffi"],
    ["src/command-line/a.ts", "../base/b.ts"],
    ["src/server/core/a.ts", "../../wire/b.ts"],
    ["src/server/core/a.ts", "./b.ts"],
    ["src/server/changes/a.ts", "../core/b.ts"],
    ["src/server/tasks/a.ts", "../changes/b.ts"],
    ["src/server/api/a.ts", "../changes/b.ts"],
    ["src/server/api/routes/a.ts", "../b.ts"],
    ["src/server/external/sqlite/a.ts", "bun:sqlite"],
    ["src/server/main.ts", "./external/b.ts"],
    ["src/cli/verbs/a.ts", "../../wire/b.ts"],
  ])("%s may import %s", (path, from) => {
    expect(judge(path, `import { b } from "${from}";`)).toBe(0);
  });

  test.each([
    ["src/base/a.ts", "node:fs"],
    ["src/base/a.ts", "../wire/b.ts"],
    ["src/tools/a.ts", "bun"],
    ["src/tools/a.ts", "bun:ffi"],
    ["src/tools/sockets/open-libc.ts", "bun:sqlite"],
    ["src/tools/a.ts", "../wire/b.ts"],
    ["src/command-line/a.ts", "../wire/b.ts"],
    ["src/wire/a.ts", "node:fs"],
    ["src/wire/a.ts", "../server/core/b.ts"],
    ["src/server/core/a.ts", "node:crypto"],
    ["src/server/core/a.ts", "zod"],
    ["src/server/core/a.ts", "../external/b.ts"],
    ["src/server/core/a.ts", "./b.test.ts"],
    ["src/server/core/a.ts", "../changes/b.ts"],
    ["src/server/changes/a.ts", "../tasks/b.ts"],
    ["src/server/tasks/a.ts", "../external/b.ts"],
    ["src/server/tasks/a.ts", "../api/b.ts"],
    ["src/server/api/a.ts", "bun:sqlite"],
    ["src/server/api/a.ts", "../tasks/b.ts"],
    ["src/server/external/a.ts", "../api/b.ts"],
    ["src/server/external/a.ts", "../changes/b.ts"],
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

  test.each([
    ["src/server/core/jobs/a.ts", "../queue/b.ts"],
    ["src/server/core/queue/a.ts", "../running/b.ts"],
    ["src/server/core/notices/a.ts", "../store.ts"],
    ["src/server/external/job-folder/a.ts", "../screen/b.ts"],
    ["src/server/api/http/a.ts", "../routes/b.ts"],
    ["src/cli/terminal/a.ts", "../settings/b.ts"],
    ["src/cli/jobs/a.ts", "../attach/b.ts"],
    ["src/cli/jobs/a.ts", "../main.ts"],
  ])("%s stands before %s and may not import it", (path, from) => {
    expect(findDisorder(importing(path, from))).toHaveLength(1);
    expect(findDisorder(importing(path, "./c.ts"))).toEqual([]);
  });

  test("a room without a place in the order is seen", () => {
    expect(findDisorder(importing("src/server/core/attic/a.ts"))).toEqual([
      "src/server/core/attic/a.ts: has no place in the order of src/server/core/",
    ]);
  });

  test("files that import each other by way of others are seen, types included", () => {
    const files = [importing("src/a.ts", "./b.ts"), importing("src/b.ts", "./c.ts"), importing("src/c.ts", "./a.ts")];
    expect(findCircles(files)).toEqual(["a circle of imports: src/a.ts → src/b.ts → src/c.ts → src/a.ts"]);
    expect(findCircles(files.slice(1))).toEqual([]);
  });

  test("folders side by side whose files import one another are seen", () => {
    const files = [importing("src/a/x.ts", "../b/x.ts"), importing("src/b/deep/y.ts", "../../a/z.ts")];
    expect(findFolderCircles(files)).toEqual(["a circle of imports: src/a → src/b → src/a"]);
    expect(findFolderCircles([...files.slice(1), importing("src/a/x.ts", "../b.ts")])).toEqual([]);
  });
});
