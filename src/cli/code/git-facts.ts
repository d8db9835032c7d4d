import { lstatSync } from "node:fs";
import { join } from "node:path";
import { runGit } from "./run-git.ts";
import type { Workshop } from "./snapshot-folder.ts";

/** `remoteUrl` is without credentials; `commit` is null before the first one. */
export type GitFacts = Readonly<{ commit: string | null; branch: string | null; remoteUrl: string | null }>;

const HIDDEN = /^(?:[a-z]|S) /;

const askText = (cwd: string, args: readonly string[]): string | null => {
  const asked = runGit(cwd, args);
  return asked.ok && asked.text !== "" ? asked.text : null;
};

const hideCredentials = (url: string): string => url.replace(/^(\w+:\/\/)[^/@]*@/, "$1");

export const readGitFacts = (top: string): GitFacts => {
  const url = askText(top, ["config", "--get", "remote.origin.url"]);
  return {
    commit: askText(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
    branch: askText(top, ["symbolic-ref", "--short", "--quiet", "HEAD"]),
    remoteUrl: url === null ? null : hideCredentials(url),
  };
};

export const isTreeOfHead = (top: string, tree: string): boolean =>
  askText(top, ["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]) === tree;

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const listHidden = ({ repository: { top }, env }: Workshop): readonly string[] =>
  runGit(top, ["ls-files", "-v", "-z"], { env })
    .text.split("\0")
    .flatMap((line) => (HIDDEN.test(line) ? [line.slice(2)] : []))
    .filter((name) => isThere(join(top, name)));

const showHidden = (workshop: Workshop): void => {
  const names = listHidden(workshop);
  if (names.length === 0) return;
  const more = { env: workshop.env, input: names.map((name) => `${name}\0`).join("") };
  for (const flag of ["--no-assume-unchanged", "--no-skip-worktree"])
    runGit(workshop.repository.top, ["update-index", flag, "-z", "--stdin"], more);
};

/**
 * Whether something is in no commit: before all was added to the workshop's index, which it makes see files that git was told
 * to look away from, but for those that a sparse checkout leaves out.
 */
export const findDirt = (workshop: Workshop): boolean => {
  showHidden(workshop);
  const words = ["status", "--porcelain", "--untracked-files=normal", "--no-renames"];
  const status = runGit(workshop.repository.top, words, { env: workshop.env });
  return !status.ok || status.text !== "";
};
