import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ParseResult, parseSync, Visitor, type VisitorObject } from "oxc-parser";

export type SourceFile = Readonly<{ path: string; text: string; parsed: ParseResult }>;

/** What is wrong, as `path:line: what`. */
export type Mistake = string;

const ROOT = join(import.meta.dir, "..", "..");

export const parseSource = (path: string, text: string): SourceFile => {
  const parsed = parseSync(path, text);
  const [error] = parsed.errors;
  if (error) throw new Error(`${path} can't be parsed: ${error.message}`);
  return { path, text, parsed };
};

export const listSources = (folder: string): readonly SourceFile[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .toSorted()
    .map((path) => parseSource(path, readFileSync(join(ROOT, path), "utf8")));

export const isTest = (path: string): boolean => path.endsWith(".test.ts");

export const visitSource = ({ parsed }: SourceFile, visitor: VisitorObject): void =>
  new Visitor(visitor).visit(parsed.program);

export const describeMistake = ({ path, text }: SourceFile, offset: number, what: string): Mistake =>
  `${path}:${text.slice(0, offset).split("\n").length}: ${what}`;
