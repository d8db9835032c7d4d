import { beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERBS } from "../../src/cli/verb-table.ts";
import { FIXTURES } from "../support/programs.ts";
import { recordScreens, type Screens } from "./record.ts";
import { SCENES } from "./scenes.ts";

const FOLDER = join(FIXTURES, "screens");
const RECORDING_LIMIT_MS = 120_000;
const expected = readdirSync(FOLDER);

let screens: Screens;

beforeAll(async () => {
  screens = await recordScreens();
}, RECORDING_LIMIT_MS);

const listVerbsShown = (): ReadonlySet<string | undefined> =>
  new Set(SCENES.map(({ line }) => (line === "nx" ? "status" : /\bnx (\w+)/.exec(line)?.[1])));

test.each(expected)("%s is what is shown (npm run screens writes it anew)", (name) => {
  expect(screens.get(name)).toBe(readFileSync(join(FOLDER, name), "utf8"));
});

test("every screen is kept, and every verb has one", () => {
  expect([...screens.keys()].toSorted()).toEqual(expected.toSorted());
  const shown = listVerbsShown();
  expect(Object.keys(VERBS).filter((name) => !shown.has(name))).toEqual([]);
});

test("nothing in a pipe has a colour or moves a cursor", () => {
  const pipes = [...screens].filter(([name]) => name.endsWith(".pipe.txt"));
  expect(pipes.filter(([_name, text]) => text.includes("\u001b")).map(([name]) => name)).toEqual([]);
});
