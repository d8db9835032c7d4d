import { closeSync, constants, openSync, readSync } from "node:fs";
import { findPath, readName } from "./run-git.ts";
import type { WorkingFiles } from "./working-files.ts";

const SHOWN = 3;
const GIT_LINK = "160000";
const POINTER = "version https://git-lfs.github.com/spec/";

const listSome = (names: readonly string[]): string => {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).map(readName).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
};

const warnOf = (text: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`${text}: ${listSome(names)}`];

const readStart = (path: string | Buffer): string => {
  const start = Buffer.alloc(POINTER.length);
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    readSync(file, start);
    closeSync(file);
  } catch {
    return "";
  }
  return start.toString();
};

/** What of the user's files does not travel, or not as the user may expect. */
export const findWarnings = (
  top: string,
  { entries, names, nested, adopted, filtered }: WorkingFiles,
): readonly string[] => {
  const submodules = entries.flatMap(({ name, mode }) => (mode === GIT_LINK ? [name] : []));
  const pointers = [...filtered, ...names].filter((name) => readStart(findPath(top, name)) === POINTER);
  return [
    ...warnOf("Submodules do not travel with the job", [...submodules, ...nested]),
    ...warnOf("Folders that are repositories without a commit travel as files", adopted),
    ...warnOf(
      "Files in Git LFS travel as pointers, as they lie here; git lfs pull fetches what they point to",
      pointers,
    ),
  ];
};
