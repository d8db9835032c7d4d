import { expect, test } from "bun:test";
import { isTest, listSources, parseSource } from "../house/source-file.ts";
import { createTestChoice } from "./test-choice.ts";

const choose = (path: string, files: Readonly<Record<string, string>>) =>
  createTestChoice(Object.entries(files).map(([name, text]) => parseSource(name, text)))(path);

test("a break is judged by its own test, then by those that import its file, unit tests and the nearest first, then by its folder's", () => {
  const files = {
    "src/queue/a.ts": "",
    "src/queue/b.ts": 'import { a } from "./a.ts";',
    "src/queue/aside.test.ts": "",
    "src/queue/a.slow.test.ts": "",
    "src/queue/b.test.ts": 'import { b } from "./b.ts";',
    "src/queue/types.test.ts": 'import type { A } from "./a.ts";',
    "tests/screens/near.test.ts": 'const { a } = await import("../../src/queue/a.ts");',
    "src/else/c.test.ts": 'import { c } from "./c.ts";',
  };
  expect(choose("src/queue/a.ts", files).near).toEqual([
    "src/queue/a.slow.test.ts",
    "src/queue/b.test.ts",
    "tests/screens/near.test.ts",
    "src/queue/aside.test.ts",
    "src/queue/types.test.ts",
  ]);
});

test("those of whole programs are of its subject, and the one of its name comes first", () => {
  const files = {
    "src/server/core/notices/quiet-hours.ts": "",
    "tests/e2e/notices/channels.test.ts": 'import "../../../src/server/core/notices/quiet-hours.ts";',
    "tests/e2e/notices/hours.test.ts": "",
    "tests/e2e/upkeep/backups.test.ts": "",
  };
  expect(choose("src/server/core/notices/quiet-hours.ts", files)).toEqual({
    near: [],
    far: ["tests/e2e/notices/hours.test.ts", "tests/e2e/notices/channels.test.ts"],
  });
});

test("no test of whole programs is without a subject", () => {
  const sources = listSources("src");
  const chooseTests = createTestChoice([...sources, ...listSources("tests/e2e")]);
  const chosen = new Set(sources.filter(({ path }) => !isTest(path)).flatMap(({ path }) => chooseTests(path).far));
  const all = listSources("tests/e2e").map(({ path }) => path);
  expect(all.filter((path) => isTest(path) && !chosen.has(path))).toEqual([]);
});
