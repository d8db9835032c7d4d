import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { type GitOutput, readName, runGit, splitNames, startGit } from "./run-git.ts";
import type { Workshop } from "./snapshot-folder.ts";

/** `remoteUrl` is without credentials; `commit` is null before the first one. `hasFilters`: git knows a filter besides that of Git LFS. */
export type GitFacts = Readonly<{
  commit: string | null;
  branch: string | null;
  remoteUrl: string | null;
  hasFilters: boolean;
}>;

const hideCredentials = (url: string): string => url.replace(/^(\w+:\/\/)[^/@]*@/, "$1");

const SETTINGS = ["config", "-z", "--get-regexp", "^(remote\\.origin\\.url|filter\\..*\\.(clean|process))$"];
const URL = "remote.origin.url\n";
const OTHER_FILTER = /^filter\.(?!lfs\.)/;

/** The address of `origin`, and whether there are other filters. */
export const readGitSettings = async (
  top: string,
  signal: AbortSignal,
): Promise<Pick<GitFacts, "remoteUrl" | "hasFilters">> => {
  const lines = splitNames((await startGit(top, SETTINGS, { signal })).text);
  const url = lines.findLast((line) => line.startsWith(URL))?.slice(URL.length);
  return {
    remoteUrl: url === undefined || url === "" ? null : hideCredentials(readName(url)),
    hasFilters: lines.some((line) => OTHER_FILTER.test(line)),
  };
};

export const isTreeOfHead = (top: string, tree: string): boolean =>
  runGit(top, ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]).text === tree;

/** A line of `git status`: two letters and a name. */
export type Change = Readonly<{ code: string; name: string }>;

export type Status = Pick<GitFacts, "commit" | "branch"> & Readonly<{ changes: readonly Change[] }>;

const STATUS = [
  ...["-c", "core.checkStat=default", "-c", "core.trustctime=true"],
  ...["status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=all", "--no-renames"],
];
const CHANGE = /^(?:1 (..)(?: \S+){6}|u (..)(?: \S+){8}|(\?)) (.*)$/s;
const NO_VALUES = ["unspecified", "unset"];
const FILTERED = [":(top)", ":(exclude,top,attr:!filter !working-tree-encoding)"];

export const failReading = ({ problem }: GitOutput): Result<never, Failure> =>
  fail(`the repository's files can't be read: ${problem}`);

const readHeader = (lines: readonly string[], name: string, none: string): string | null => {
  const value = lines.find((line) => line.startsWith(name))?.slice(name.length) ?? none;
  return value === none ? null : readName(value);
};

const parseChange = (line: string): readonly Change[] => {
  const [, changed, unmerged, untracked, name = ""] = CHANGE.exec(line) ?? [];
  const code = changed ?? unmerged ?? untracked?.repeat(2);
  return code === undefined ? [] : [{ code: code.replaceAll(".", " "), name }];
};

/** What `git status` says, of submodules only where git can look into them. */
export const readStatus = async (
  { repository: { top }, env }: Workshop,
  signal: AbortSignal,
): Promise<Result<Status, Failure>> => {
  const ask = (...more: readonly string[]): Promise<GitOutput> => startGit(top, [...STATUS, ...more], { env, signal });
  const whole = await ask();
  const status = whole.ok ? whole : await ask("--ignore-submodules=all");
  if (!status.ok) return failReading(status);
  const lines = splitNames(status.text);
  const commit = readHeader(lines, "# branch.oid ", "(initial)");
  const branch = readHeader(lines, "# branch.head ", "(detached)");
  return ok({ commit, branch, changes: lines.flatMap(parseChange) });
};

/** The tracked files for which an attribute names a filter or an encoding. */
export const listFiltered = async (
  { repository: { top }, env }: Workshop,
  signal: AbortSignal,
): Promise<Result<readonly string[], Failure>> => {
  const words = ["ls-files", "-z", "--cached", "--deduplicate", "--", ...FILTERED];
  const listed = await startGit(top, words, { env: { ...env, GIT_LITERAL_PATHSPECS: "0" }, signal });
  return listed.ok ? ok(splitNames(listed.text)) : failReading(listed);
};

/** In bytes, in the same order; NaN for an object that is not here. None where git was ended early, as it may have been in the middle of a number. */
export const readBlobSizes = async (
  { bare, byteEnv }: Workshop,
  objects: readonly string[],
  signal: AbortSignal,
): Promise<readonly number[]> => {
  const input = objects.map((object) => `${object}\n`).join("");
  const words = ["cat-file", "--buffer", "--batch-check=%(objectsize)"];
  const { ok: isWhole, text } = await startGit(bare, words, { env: byteEnv, input, signal });
  return isWhole ? text.split("\n").map(Number) : [];
};

const isNamed = (value: string | undefined): boolean => value !== undefined && !NO_VALUES.includes(value);

/** Which of the names have a filter or an encoding; all of them where git can't tell. */
export const findFiltered = ({ repository, env }: Workshop, names: readonly string[]): ReadonlySet<string> => {
  const input = names.map((name) => `${name}\0`).join("");
  const words = ["check-attr", "-z", "--stdin", "filter", "working-tree-encoding"];
  const asked = runGit(repository.top, words, { env, input, encoding: "latin1" });
  if (!asked.ok) return new Set(names);
  const fields = asked.text.split("\0");
  return new Set(fields.filter((_field, index) => index % 3 === 0 && isNamed(fields[index + 2])));
};
