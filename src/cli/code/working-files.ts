import { lstatSync, type Stats } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { type Change, type GitFacts, listFiltered, readBlobSizes, readGitSettings, readStatus } from "./git-facts.ts";
import { expandNested, type Untracked } from "./nested-repositories.ts";
import { findPath, runGit, splitNames } from "./run-git.ts";
import { findSizes } from "./sizes/object-sizes.ts";
import type { Workshop } from "./snapshot-folder.ts";

/** A line of the index. `isHidden`: git was told to look away from it; `isLeftOut`: and it is not there, as in a sparse checkout. */
export type IndexEntry = Readonly<{
  name: string;
  mode: string;
  object: string;
  isHidden: boolean;
  isLeftOut: boolean;
}>;

export type SizedFile = Readonly<{ name: string; bytes: number; isTracked: boolean; isLink: boolean }>;

export const GIT_LINK = "160000";

type Difference = Readonly<{ gone: readonly string[]; changed: readonly string[]; doubtful: readonly IndexEntry[] }>;

/**
 * What is to travel; names have a character for each byte. `gone` is only in the index, `changed` not as it is there; what is `doubtful`
 * git holds to be unchanged, but it may have converted it, or would. `filtered` has a filter or an encoding. `isDirty`:
 * something is in no commit.
 */
export type WorkingFiles = Untracked &
  Difference &
  Readonly<{
    facts: GitFacts;
    isDirty: boolean;
    entries: readonly IndexEntry[];
    filtered: readonly string[];
    sizes: readonly SizedFile[];
  }>;

type Seen = readonly (Stats | undefined)[];

const TAG_LENGTH = 2;
const MODE_END = 8;
const STAGE_LENGTH = 2;
const [LINK, FILE, PROGRAM] = ["120000", "100644", "100755"];
const EXECUTABLE = 0o100;
const SKIPPED = /^s$/i;
const UNTRACKED = "??";
const GONE = /^[^DU]D$/;
const UNCHANGED = /^(?:\?\?|. )$/;

const look = (top: string, name: string): Stats | undefined => {
  try {
    return lstatSync(findPath(top, name), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

const parseEntry = (top: string, line: string): IndexEntry => {
  const [tag = "", end] = [line[0], line.indexOf("\t")];
  const name = line.slice(end + 1);
  const isHidden = tag === "S" || tag !== tag.toUpperCase();
  return {
    name,
    mode: line.slice(TAG_LENGTH, MODE_END),
    object: line.slice(MODE_END + 1, end - STAGE_LENGTH),
    isHidden,
    isLeftOut: isHidden && SKIPPED.test(tag) && look(top, name) === undefined,
  };
};

const listEntries = ({ repository: { top }, env }: Workshop): readonly IndexEntry[] =>
  splitNames(runGit(top, ["ls-files", "-v", "--stage", "-z"], { env, encoding: "latin1" }).text).map((line) =>
    parseEntry(top, line),
  );

const showHidden = ({ repository, env }: Workshop, entries: readonly IndexEntry[]): void => {
  const hidden = entries.filter(({ isHidden, isLeftOut }) => isHidden && !isLeftOut);
  if (hidden.length === 0) return;
  const more = { env, input: hidden.map(({ name }) => `${name}\0`).join(""), encoding: "latin1" as const };
  for (const flag of ["--no-assume-unchanged", "--no-skip-worktree"])
    runGit(repository.top, ["update-index", flag, "-z", "--stdin"], more);
};

type Asked = Readonly<{
  facts: GitFacts;
  changes: readonly Change[];
  filtered: readonly string[];
  blobSizes: readonly number[];
}>;

const askGit = (workshop: Workshop, entries: readonly IndexEntry[]): Promise<Result<Asked, Failure>> =>
  workshop.keep(async (signal) => {
    const objects = entries.map(({ object }) => object);
    const [settings, status, filtered, blobSizes] = await Promise.all([
      readGitSettings(workshop.repository.top, signal),
      readStatus(workshop, signal),
      listFiltered(workshop, signal),
      findSizes(objects, (some) => readBlobSizes(workshop, some, signal)),
    ]);
    if (!status.ok) return status;
    if (!filtered.ok) return filtered;
    const { changes, ...head } = status.value;
    return ok({ facts: { ...head, ...settings }, changes, filtered: filtered.value, blobSizes });
  });

const isOfOtherKind = (mode: string, there: Stats | undefined): boolean => {
  if (there?.isFile() !== true) return false;
  return mode === LINK || mode === ((there.mode & EXECUTABLE) === 0 ? PROGRAM : FILE);
};

const findDifference = (
  entries: readonly IndexEntry[],
  seen: Seen,
  { facts, changes, filtered, blobSizes }: Asked,
): Difference => {
  const known = changes.flatMap(({ code, name }) => (UNCHANGED.test(code) ? [] : [name]));
  const gone = changes.flatMap(({ code, name }) => (GONE.test(code) ? [name] : []));
  const [skipped, marked, left] = [new Set(known), new Set(filtered), new Set(gone)];
  const ofOtherKind = entries.filter(({ mode, name }, index) => !skipped.has(name) && isOfOtherKind(mode, seen[index]));
  const doubtful = entries.filter(({ name }, index) => {
    const there = seen[index];
    if (skipped.has(name) || there?.isFile() !== true) return false;
    return facts.hasFilters || there.size !== blobSizes[index] || marked.has(name);
  });
  return {
    gone,
    changed: [...known.filter((name) => !left.has(name)), ...ofOtherKind.map(({ name }) => name)],
    doubtful,
  };
};

const measure = (name: string, status: Stats | undefined, isTracked: boolean): SizedFile => ({
  name,
  bytes: status?.isFile() === true ? status.size : 0,
  isTracked,
  isLink: status?.isSymbolicLink() === true,
});

const measureAll = (
  top: string,
  seen: Seen,
  { entries, names, blobSizes }: Readonly<{ entries: readonly IndexEntry[] }> & Untracked & Asked,
): readonly SizedFile[] => {
  const tracked = entries.map(({ name, isLeftOut }, index) =>
    isLeftOut
      ? { name, bytes: blobSizes[index] || 0, isTracked: true, isLink: false }
      : measure(name, seen[index], true),
  );
  const once = tracked.filter(({ name }, index) => name !== tracked[index - 1]?.name);
  return [...once, ...names.map((name) => measure(name, look(top, name), false))];
};

/** Reads the user's repository, and makes the workshop's index see what git was told to look away from. */
export const findWorkingFiles = async (workshop: Workshop): Promise<Result<WorkingFiles, Failure>> => {
  const { top } = workshop.repository;
  const entries = listEntries(workshop);
  showHidden(workshop, entries);
  const asking = askGit(workshop, entries);
  const seen: Seen = entries.map(({ name }) => look(top, name));
  const asked = await asking;
  if (!asked.ok) return asked;
  const { facts, changes, filtered } = asked.value;
  const untracked = expandNested(
    workshop,
    changes.flatMap(({ code, name }) => (code === UNTRACKED ? [name] : [])),
  );
  return ok({
    ...untracked,
    ...findDifference(entries, seen, asked.value),
    ...{ facts, entries, filtered, isDirty: changes.length > 0 },
    sizes: measureAll(top, seen, { entries, ...untracked, ...asked.value }),
  });
};
