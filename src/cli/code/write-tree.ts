import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { failReading, findFiltered } from "./git-facts.ts";
import type { Repository } from "./git-repository.ts";
import { AS_BYTES, type GitOutput, runGit, startGit } from "./run-git.ts";
import { copyIndex, type Workshop } from "./snapshot-folder.ts";
import type { IndexEntry, WorkingFiles } from "./working-files.ts";

const TREE_SHA = /^[0-9a-f]{40,64}$/;
const REFUSED = /^Ignoring path (.*)$/m;
const ADD_NAMES = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];

const listNames = (names: readonly string[]): string => names.map((name) => `${name}\0`).join("");

const forget = (
  { top, hash }: Repository,
  { gone, doubtful }: Readonly<{ gone: readonly string[]; doubtful: readonly IndexEntry[] }>,
  env: NodeJS.ProcessEnv,
): GitOutput => {
  const none = "0".repeat(hash === "sha256" ? 64 : 40);
  const lines = [
    ...gone.map((name) => `0 ${none}\t${name}`),
    ...doubtful.map(({ mode, object, name }) => `${mode} ${object} 0\t${name}`),
  ];
  const input = listNames(lines);
  return runGit(top, [...AS_BYTES, "update-index", "-z", "--index-info"], { env, input, encoding: "latin1" });
};

const nameTree = (top: string, env: NodeJS.ProcessEnv): Result<string, Failure> => {
  const tree = runGit(top, [...AS_BYTES, "write-tree", "--missing-ok"], { env });
  return tree.ok && TREE_SHA.test(tree.text) ? ok(tree.text) : fail(`git can't make a tree: ${tree.problem}`);
};

const addNames = async (
  { repository: { top }, keep }: Workshop,
  names: readonly string[],
  more: Readonly<{ env: NodeJS.ProcessEnv; settings: readonly string[] }>,
): Promise<GitOutput> => {
  const [words, env, input] = [[...more.settings, ...ADD_NAMES], { ...more.env, LC_ALL: "C" }, listNames(names)];
  const added = await keep((signal) => startGit(top, words, { env, input, signal }));
  const refused = REFUSED.exec(added.errors)?.[1];
  return refused === undefined
    ? added
    : { ...added, ok: false, problem: `git takes no file called ${refused}, which .gitignore can name` };
};

/** The tree of all files, byte for byte. */
export const writeTree = async (workshop: Workshop, files: WorkingFiles): Promise<Result<string, Failure>> => {
  const { repository, byteEnv: env } = workshop;
  const { gone, doubtful, changed, names, nested } = files;
  const forgotten = gone.length + doubtful.length === 0 ? null : forget(repository, files, env);
  if (forgotten?.ok === false) return failReading(forgotten);
  const all = [...changed, ...doubtful.map(({ name }) => name), ...names, ...nested];
  const added = all.length === 0 ? null : await addNames(workshop, all, { env, settings: AS_BYTES });
  return added?.ok === false ? failReading(added) : nameTree(repository.top, env);
};

/**
 * The tree for a tag: `tree` with its filtered files as git keeps them, as a filter may be there so that what the user sees does not get
 * to a remote.
 */
export const writeFilteredTree = async (
  workshop: Workshop,
  { filtered, entries, names: untracked }: WorkingFiles,
  tree: string,
): Promise<Result<string, Failure>> => {
  const { repository, folder } = workshop;
  const leftOut = new Set(entries.flatMap(({ name, isLeftOut }) => (isLeftOut ? [name] : [])));
  const names = [...filtered.filter((name) => !leftOut.has(name)), ...findFiltered(workshop, untracked)];
  if (names.length === 0) return ok(tree);
  const env = { ...workshop.env, GIT_INDEX_FILE: join(folder, "index-of-tags") };
  copyIndex(workshop.index, env.GIT_INDEX_FILE);
  const forgotten = forget(repository, { gone: names, doubtful: [] }, env);
  if (!forgotten.ok) return failReading(forgotten);
  const added = await addNames(workshop, names, { env, settings: ["-c", "core.fileMode=true"] });
  const { GIT_INDEX_FILE } = env;
  return added.ok
    ? nameTree(repository.top, { ...workshop.byteEnv, GIT_INDEX_FILE })
    : fail(`git can't filter the files: ${added.problem}`);
};
