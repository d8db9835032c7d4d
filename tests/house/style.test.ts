import { describe, expect, test } from "bun:test";
import { isTest, listSources, parseSource } from "./source-file.ts";
import {
  findClasses,
  findComments,
  findDoubleCasts,
  findEffects,
  findFixedSleeps,
  findHalvedTests,
  findMarkers,
  findSilentAbilities,
  findUnrunTests,
  findUnseededChance,
  findUntypedExports,
  type StyleRule,
} from "./style-rules.ts";

const sources = listSources("src");
const everything = [...sources, ...listSources("tests"), ...listSources("bench"), ...listSources("scripts")];
const core = sources.filter(({ path }) => path.startsWith("src/server/core/") && !isTest(path));

const count = (rule: StyleRule, text: string): number => rule(parseSource("a.test.ts", text)).length;

describe("the code", () => {
  test("has no comments but TSDoc on exports", () => {
    expect(everything.flatMap(findComments)).toEqual([]);
  });

  test("has no classes, no this, no enums", () => {
    expect(everything.flatMap(findClasses)).toEqual([]);
  });

  test("has explicit return types on exports, and no default exports", () => {
    expect(everything.flatMap(findUntypedExports)).toEqual([]);
  });

  test("has no cast of a cast", () => {
    expect(sources.filter(({ path }) => !isTest(path)).flatMap(findDoubleCasts)).toEqual([]);
  });

  test("has a core without clock, randomness and I/O", () => {
    expect(core.flatMap(findEffects)).toEqual([]);
  });

  test("has no test that is skipped or runs alone", () => {
    expect(everything.flatMap(findUnrunTests)).toEqual([]);
  });

  test("has no test that ends early, or lacks what the run does not tell", () => {
    expect(everything.flatMap(findHalvedTests)).toEqual([]);
    expect(everything.flatMap(findSilentAbilities)).toEqual([]);
  });

  test("has no test that sleeps, or leaves something to chance that can't be repeated", () => {
    expect(everything.flatMap(findFixedSleeps)).toEqual([]);
    expect(everything.flatMap(findUnseededChance)).toEqual([]);
  });

  test("has no left-over markers", () => {
    expect(everything.flatMap(findMarkers)).toEqual([]);
  });
});

describe("the style rules", () => {
  test.each([
    "/** Metres. */\nexport const a = 1;",
    "/** Metres. */\nexport function a(): void {}",
    "/** Metres. */\nexport type A = 1;",
    "#!/usr/bin/env bun\nexport const a = 1;",
    'export const a = "// no comment";',
  ])("allow %j", (text) => {
    expect(count(findComments, text)).toBe(0);
  });

  test.each([
    "// why\nexport const a = 1;",
    "export const a = 1; // why",
    "/* why */\nexport const a = 1;",
    "/** Why. */\nconst a = 1;",
    "/** Why. */\nexport { a };",
    "export type A = {\n  /** Why. */\n  a: 1 };",
    "export const a = 1;\n/** Why. */",
  ])("see the comment in %j", (text) => {
    expect(count(findComments, text)).toBe(1);
  });

  test.each([
    [findClasses, "class A {}"],
    [findClasses, "const a = class {};"],
    [findClasses, "function a() { return this; }"],
    [findClasses, "enum A { B }"],
    [findUntypedExports, "export const a = () => 1;"],
    [findUntypedExports, "export const a = 1, b = function () {};"],
    [findUntypedExports, "export function a() {}"],
    [findUntypedExports, "export default 1;"],
    [findDoubleCasts, "const a = b as unknown as string;"],
    [findEffects, "const a = Date.now();"],
    [findEffects, "const a = new Date();"],
    [findEffects, "const a = Math.random();"],
    [findEffects, "setTimeout(a, 1);"],
    [findEffects, "const a = process.env;"],
    [findUnrunTests, "test.skip('a', () => {});"],
    [findUnrunTests, "describe.only('a', () => {});"],
    [findUnrunTests, "test.skipIf(true)('a', () => {});"],
    [findUnrunTests, "test.skipIf(!isSlow)('a', () => {});"],
    [findFixedSleeps, "await Bun.sleep(50);"],
    [findFixedSleeps, "Bun.sleepSync(5);"],
    [findFixedSleeps, "await letPass(50);"],
    [findFixedSleeps, "await new Promise((resolve) => setTimeout(resolve, 50));"],
    [findFixedSleeps, "const a = new Promise((resolve) => setTimeout(() => resolve(1), 50));"],
    [findFixedSleeps, "import { setTimeout as pause } from 'node:timers/promises';"],
    [findUnseededChance, "const a = Math.random();"],
    [findHalvedTests, "test('a', () => { if (!isRoot) return; expect(1).toBe(1); });"],
    [findHalvedTests, "test.each([1])('a', async (b) => { try { if (b) return; } finally {} });"],
    [findSilentAbilities, "const canMount = tryMount();"],
    [findMarkers, `const a = "FIX${"ME"}";`],
  ] satisfies readonly (readonly [StyleRule, string])[])("%p sees %j", (rule, text) => {
    expect(count(rule, text)).toBe(1);
  });

  test.each([
    [findUntypedExports, "export const a = (): number => 1;"],
    [findUntypedExports, "export const a: A = () => 1;"],
    [findUntypedExports, "const a = () => 1;"],
    [findDoubleCasts, "const a = b as string;"],
    [findEffects, "const a = new Date(0);"],
    [findEffects, "const a = Math.max(b);"],
    [findUnrunTests, "test.each([])('a', () => {});"],
    [findUnrunTests, "test.skipIf(!canMount)('a', () => {});"],
    [findFixedSleeps, "await letPass(delayMs);"],
    [findFixedSleeps, "const timer = setTimeout(stop, 50);"],
    [findFixedSleeps, "await new Promise((resolve) => setImmediate(resolve));"],
    [findUnseededChance, "const a = Math.max(1, 2);"],
    [findHalvedTests, "test('a', () => { const b = () => { if (c) return; }; b(); });"],
    [findHalvedTests, "beforeAll(() => { if (!canMount) return; mount(); });"],
    [findHalvedTests, "test('a', () => { return b(); });"],
    [findSilentAbilities, "const canMount = checkAbility(tryMount(), 'a disk');"],
    [findMarkers, "const todo = 1;"],
  ] satisfies readonly (readonly [StyleRule, string])[])("%p allows %j", (rule, text) => {
    expect(count(rule, text)).toBe(0);
  });
});
