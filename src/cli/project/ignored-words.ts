import { lstatSync } from "node:fs";
import { join, posix } from "node:path";
import type { Snapshot } from "../code/code-snapshot.ts";
import { runGit, splitNames } from "../code/run-git.ts";
import { findTravelling, listWays } from "../code/travelling-files.ts";

/** A word of a command that names a file that does not travel, and the whole of what git ignores there; both from the top. */
export type IgnoredWord = Readonly<{ path: string; ignored: string }>;

type Files = Pick<Snapshot, "top" | "subFolder" | "travelling">;

const MOST_WORDS = 1000;

const look = (path: string): ReturnType<typeof lstatSync> | undefined => {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
};

const isBelow = (path: string, above: string): boolean => `${path}/`.startsWith(`${above}/`);

const locate = (word: string, { subFolder }: Files): string | null => {
  if (word.startsWith("/") || word.includes("\0")) return null;
  const path = posix.join(subFolder, word).replace(/\/$/, "");
  return path === "." || isBelow(path, "..") ? null : path;
};

const listAsked = (path: string, top: string): readonly string[] => {
  const ways = listWays(path);
  const link = ways.findIndex((way) => look(join(top, way))?.isSymbolicLink() === true);
  return link === -1 ? ways : ways.slice(0, link + 1);
};

const askIgnored = (top: string, paths: readonly string[]): ReadonlySet<string> => {
  if (paths.length === 0) return new Set();
  const input = paths.map((path) => `${path}\0`).join("");
  return new Set(splitNames(runGit(top, ["check-ignore", "-z", "--stdin"], { input }).text));
};

/** Those that no link covers. */
export const findIgnoredWords = (
  words: readonly string[],
  links: readonly string[],
  files: Files,
): readonly IgnoredWord[] => {
  const { top, travelling } = files;
  const located = new Set(words.slice(0, MOST_WORDS).flatMap((word) => locate(word, files) ?? []));
  const away = [...located].filter(
    (path) => look(join(top, path)) !== undefined && findTravelling(travelling, path) === null,
  );
  const open = away.filter((path) => !links.some((link) => isBelow(path, link)));
  const asked = open.map((path) => ({ path, ways: listAsked(path, top) }));
  const ignored = askIgnored(
    top,
    asked.flatMap(({ ways }) => ways),
  );
  return asked.flatMap(({ path, ways }) => {
    const first = ways.find((way) => ignored.has(way) && findTravelling(travelling, way) === null);
    return first === undefined ? [] : [{ path, ignored: first }];
  });
};
