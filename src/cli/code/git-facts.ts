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

const HEAD = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
const BRANCH = ["symbolic-ref", "--short", "--quiet", "HEAD"];
const SETTINGS = ["config", "-z", "--get-regexp", "^(remote\\.origin\\.url|filter\\..*\\.(clean|process))$"];
const URL = "remote.origin.url\n";
const OTHER_FILTER = /^filter\.(?!lfs\.)/;

const readLine = (answer: GitOutput | undefined): string | null =>
  answer?.ok === true && answer.text !== "" ? readName(answer.text).replace(/\n$/, "") : null;

export const readGitFacts = async (top: string, signal: AbortSignal): Promise<GitFacts> => {
  const asking = [HEAD, BRANCH, SETTINGS].map((words) => startGit(top, words, { signal }));
  const [commit, branch, settings] = await Promise.all(asking);
  const lines = splitNames(settings?.text ?? "");
  const url = lines.findLast((line) => line.startsWith(URL))?.slice(URL.length);
  return {
    commit: readLine(commit),
    branch: readLine(branch),
    remoteUrl: url === undefined || url === "" ? null : hideCredentials(readName(url)),
    hasFilters: lines.some((line) => OTHER_FILTER.test(line)),
  };
};

export const isTreeOfHead = (top: string, tree: string): boolean =>
  runGit(top, ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]).text === tree;

/** A line of `git status`: two letters and a name. */
export type Change = Readonly<{ code: string; name: string }>;

const CODE_LENGTH = 3;
const STATUS = [
  ...["-c", "core.checkStat=default", "-c", "core.trustctime=true"],
  ...["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"],
];
const NO_VALUES = ["unspecified", "unset"];
const FILTERED = [":(top)", ":(exclude,top,attr:!filter !working-tree-encoding)"];

export const failReading = ({ problem }: GitOutput): Result<never, Failure> =>
  fail(`the repository's files can't be read: ${problem}`);

/** What `git status` says, of submodules only where git can look into them. */
export const readStatus = async (
  { repository: { top }, env }: Workshop,
  signal: AbortSignal,
): Promise<Result<readonly Change[], Failure>> => {
  const ask = (...more: readonly string[]): Promise<GitOutput> => startGit(top, [...STATUS, ...more], { env, signal });
  const whole = await ask();
  const status = whole.ok ? whole : await ask("--ignore-submodules=all");
  if (!status.ok) return failReading(status);
  return ok(splitNames(status.text).map((line) => ({ code: line.slice(0, 2), name: line.slice(CODE_LENGTH) })));
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

/** In bytes, in the same order; NaN for an object that is not here. */
export const readBlobSizes = async (
  { bare, byteEnv }: Workshop,
  objects: readonly string[],
  signal: AbortSignal,
): Promise<readonly number[]> => {
  const input = objects.map((object) => `${object}\n`).join("");
  const words = ["cat-file", "--buffer", "--batch-check=%(objectsize)"];
  return (await startGit(bare, words, { env: byteEnv, input, signal })).text.split("\n").map(Number);
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
