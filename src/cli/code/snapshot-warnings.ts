import { closeSync, constants, openSync, readlinkSync, readSync } from "node:fs";
import { posix } from "node:path";
import { findPath, readName } from "./run-git.ts";
import { GIT_LINK, type WorkingFiles } from "./working-files.ts";

const SHOWN = 3;
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

const readTarget = (top: string, name: string): string => {
  try {
    return readlinkSync(findPath(top, name), "latin1");
  } catch {
    return "";
  }
};

const leadsOut = (name: string, target: string): boolean =>
  target.startsWith("/") || /^\.\.(\/|$)/.test(posix.join(posix.dirname(name), target));

const listLeadingOut = (top: string, { sizes }: WorkingFiles): readonly string[] =>
  sizes
    .filter(({ isLink }) => isLink)
    .map(({ name }) => ({ name, target: readTarget(top, name) }))
    .filter(({ name, target }) => leadsOut(name, target))
    .map(({ name, target }) => `${name} -> ${target}`);

/** What of the user's files does not travel, or not as the user may expect. */
export const findWarnings = (top: string, files: WorkingFiles): readonly string[] => {
  const { entries, names, nested, adopted, filtered } = files;
  const submodules = entries.flatMap(({ name, mode }) => (mode === GIT_LINK ? [name] : []));
  const pointers = [...filtered, ...names].filter((name) => readStart(findPath(top, name)) === POINTER);
  return [
    ...warnOf("Submodules do not travel with the job", [...submodules, ...nested]),
    ...warnOf("Folders that are repositories without a commit travel as files", adopted),
    ...warnOf(
      "Files in Git LFS travel as pointers, as they lie here; git lfs pull fetches what they point to",
      pointers,
    ),
    ...warnOf(
      "Links that lead out of the code travel as links, and find only what the server's machine has there",
      listLeadingOut(top, files),
    ),
  ];
};
