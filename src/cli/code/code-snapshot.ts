import { closeSync, openSync, statSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { findDirt, type GitFacts, isTreeOfHead, readGitFacts } from "./git-facts.ts";
import { locateRepository } from "./git-repository.ts";
import type { TaggedTree } from "./git-tags.ts";
import type { Pushed } from "./push-tags.ts";
import { runGit, startGit } from "./run-git.ts";
import { checkChangedSize, type SizedFile } from "./size-limit.ts";
import { createWorkshop, type Workshop } from "./snapshot-folder.ts";
import { findWarnings } from "./snapshot-warnings.ts";

/** `isDirty`: something of it is in no commit. `subFolder` is where the user stands below the top, empty at the top. `folder` is ours, until `dispose`. */
export type Snapshot = Readonly<{
  folder: string;
  treeSha: string;
  isDirty: boolean;
  subFolder: string;
  warnings: readonly string[];
  writeTar: (path: string) => Promise<Result<number, Failure>>;
  listFiles: () => readonly SizedFile[];
  pushTags: (names: readonly string[]) => Promise<Pushed>;
  withdrawTags: (names: readonly string[]) => Promise<void>;
  dispose: () => void;
}> &
  GitFacts;

const MISSING_OBJECT = /invalid object|cannot read|not a valid object|missing/i;
const TREE_SHA = /^[0-9a-f]{40,64}$/;

const writeTree = async ({ repository, env, keep }: Workshop): Promise<Result<string, Failure>> => {
  const { top } = repository;
  const added = await keep((signal) => startGit(top, ["add", "--all", "--", "."], { env, signal }));
  if (!added.ok) return fail(`the repository's files can't be read: ${added.problem}`);
  const tree = runGit(top, ["write-tree"], { env });
  return tree.ok && TREE_SHA.test(tree.text) ? ok(tree.text) : fail(`git can't make a tree: ${tree.problem}`);
};

const explainArchive = (problem: string): Result<never, Failure> =>
  MISSING_OBJECT.test(problem)
    ? fail(
        "some files of HEAD are not in this clone, which is a partial one; fetch them with: git archive HEAD >/dev/null",
      )
    : fail(`git archive failed: ${problem}`);

const writeTar = async ({ bare, keep }: Workshop, tree: string, path: string): Promise<Result<number, Failure>> => {
  const output = openSync(path, "w", 0o600);
  const words = [`--git-dir=${bare}`, "archive", "--format=tar", tree];
  const written = await keep((signal) => startGit(bare, words, { output, signal }));
  closeSync(output);
  return written.ok ? ok(statSync(path).size) : explainArchive(written.problem);
};

const listFiles = ({ bare }: Workshop, tree: string): readonly SizedFile[] =>
  runGit(bare, [`--git-dir=${bare}`, "ls-tree", "-r", "-l", "-z", tree])
    .text.split("\0")
    .map((line) => /^\S+ \S+ \S+ +(\d+)\t(.*)$/s.exec(line))
    .map((match) => ({ bytes: Number(match?.[1] ?? 0), name: match?.[2] ?? "" }));

const pushTags = async (workshop: Workshop, tagged: TaggedTree, names: readonly string[]): Promise<Pushed> => {
  const [{ createTags }, remote] = await Promise.all([import("./git-tags.ts"), import("./push-tags.ts")]);
  const tags = createTags(workshop, tagged, names);
  return tags.ok ? remote.pushTags(workshop, tags.value) : { names: [], problem: tags.error.message };
};

const withdrawTags = async (workshop: Workshop, names: readonly string[]): Promise<void> => {
  const remote = await import("./push-tags.ts");
  await remote.withdrawTags(workshop, names);
};

type Taken = Readonly<{ tree: string; isDirty: boolean }>;

const describe = (workshop: Workshop, { tree, isDirty }: Taken): Snapshot => {
  const { repository, folder, dispose } = workshop;
  return {
    ...readGitFacts(repository.top),
    folder,
    treeSha: tree,
    isDirty,
    subFolder: repository.prefix,
    warnings: findWarnings(workshop),
    writeTar: (path) => writeTar(workshop, tree, path),
    listFiles: () => listFiles(workshop, tree),
    pushTags: (names) => pushTags(workshop, { tree, isCommitted: isTreeOfHead(repository.top, tree) }, names),
    withdrawTags: (names) => withdrawTags(workshop, names),
    dispose,
  };
};

/**
 * The files as they are now, tracked or not, except the ignored ones. Null outside a repository. The user's repository
 * is only read: index and objects are written in a folder of our own, which `dispose` removes.
 */
export const takeSnapshot = async (cwd: string): Promise<Result<Snapshot, Failure> | null> => {
  const located = locateRepository(cwd);
  if (!located.ok) return located;
  if (located.value === null) return null;
  const size = checkChangedSize(located.value.top);
  if (!size.ok) return size;
  const workshop = createWorkshop(located.value);
  const isDirty = findDirt(workshop);
  const tree = await writeTree(workshop);
  if (tree.ok) return ok(describe(workshop, { tree: tree.value, isDirty }));
  workshop.dispose();
  return tree;
};
