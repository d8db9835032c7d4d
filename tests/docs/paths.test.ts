import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/programs.ts";

const NAMED = /`((?:[\w.-]+\/)+(?:[\w.-]+\.(?:ts|py|sh))?)`/g;
const OF_THE_CODE =
  /^(?:src|tests|bench|scripts|cli|server|core|changes|tasks|api|external|wire|base|tools|command-line)\//;

const listIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));

const paths = ["src", "tests", "bench", "scripts", "examples"].flatMap(listIn);
const pages = [
  ...listIn("docs").filter((path) => path.endsWith(".md")),
  ...["README.md", "CONTRIBUTING.md", "AGENTS.md", "examples/README.md"],
];

const isThere = (named: string): boolean => {
  const path = named.replace(/\/$/, "");
  return existsSync(join(ROOT, path)) || paths.some((one) => one.endsWith(`/${path}`));
};

const listNamed = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), "utf8").matchAll(NAMED)].map(([, name = ""]) => name);

test.each(pages)("%s names only files and folders of the code that are there", (page) => {
  const named = listNamed(page).filter((name) => name.endsWith("ts") || OF_THE_CODE.test(name));
  expect(named.filter((name) => !isThere(name))).toEqual([]);
});
