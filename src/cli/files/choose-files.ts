import { matchesGlob } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failMissing } from "../../command-line/usage.ts";
import type { WireFile } from "../../wire/files.ts";

/** As the server calls it: `./a/` is `a`, and the top is empty. */
export const trimPath = (path: string): string => path.replace(/^(\.?\/)+/, "").replace(/(^|\/)\.?\/*$/, "");

const listWays = (path: string): readonly string[] => {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
};

const isNamed = (word: string, path: string): boolean => word === "" || path === word || path.startsWith(`${word}/`);

const matches = (word: string, path: string): boolean =>
  isNamed(word, path) || listWays(path).some((way) => matchesGlob(way, word));

/** Those that a word names, or a folder on the way to them; all without words. A word that names none is a failure. */
export const chooseFiles = (
  files: readonly WireFile[],
  words: readonly string[],
  id: string,
): Result<readonly WireFile[], Failure> => {
  const wanted = words.map(trimPath);
  const chosen = new Set<WireFile>();
  for (const [index, word] of wanted.entries()) {
    const named = files.filter(({ path }) => matches(word, path));
    if (named.length === 0)
      return failMissing(`job ${id} has no file ${escapeText(words[index] ?? "")}`, `see nx files ${id}`);
    for (const file of named) chosen.add(file);
  }
  return ok(words.length === 0 ? files : files.filter((file) => chosen.has(file)));
};
