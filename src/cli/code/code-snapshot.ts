import { closeSync, openSync, statSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { type GitFacts, isTreeOfHead } from "./git-facts.ts";
import { locateRepository } from "./git-repository.ts";
import type { TaggedTree } from "./git-tags.ts";
import type { Pushed } from "./push-tags.ts";
import { AS_BYTES, startGit } from "./run-git.ts";
import { checkSize } from "./sizes/size-limit.ts";
import { createWorkshop, type Workshop } from "./snapshot-folder.ts";
import { findWarnings } from "./snapshot-warnings.ts";
import { listTravelling, type Travelling } from "./travelling-files.ts";
import { findWorkingFiles, type SizedFile, type WorkingFiles } from "./working-files.ts";
import { writeFilteredTree, writeTree } from "./write-tree.ts";

/** `isDirty`: something of it is in no commit. `subFolder` is where the user stands below `top`, empty there. `folder` is ours, until `dispose`. */
export type Snapshot = Readonly<{
  folder: string;
  top: string;
  travelling: Travelling;
  treeSha: string;
  isDirty: boolean;
  subFolder: string;
  warnings: readonly string[];
  sizes: readonly SizedFile[];
  writeTar: (path: string) => Promise<Result<number, Failure>>;
  pushTags: (names: readonly string[]) => Promise<Pushed>;
  withdrawTags: (names: readonly string[]) => Promise<void>;
  dispose: () => void;
}> &
  GitFacts;

type Taken = Readonly<{ tree: string; files: WorkingFiles }>;

const MISSING_OBJECT = /invalid object|cannot read|not a valid object|missing/i;
const explainArchive = (problem: string): Result<never, Failure> =>
  MISSING_OBJECT.test(problem)
    ? fail(
        "some files of HEAD are not in this clone, which is a partial one; fetch them with: git archive HEAD >/dev/null",
      )
    : fail(`git archive failed: ${problem}`);

const writeTar = async ({ bare, keep }: Workshop, tree: string, path: string): Promise<Result<number, Failure>> => {
  const output = openSync(path, "w", 0o600);
  const words = [...AS_BYTES, `--git-dir=${bare}`, "archive", "--format=tar", tree];
  const written = await keep((signal) => startGit(bare, words, { output, signal }));
  closeSync(output);
  return written.ok ? ok(statSync(path).size) : explainArchive(written.problem);
};

const findTagged = async (workshop: Workshop, { tree, files }: Taken): Promise<Result<TaggedTree, Failure>> => {
  if (!files.isDirty || isTreeOfHead(workshop.repository.top, tree)) return ok({ tree, isCommitted: true });
  const filtered = await writeFilteredTree(workshop, files, tree);
  return filtered.ok ? ok({ tree: filtered.value, isCommitted: false }) : filtered;
};

const pushTags = async (workshop: Workshop, taken: Taken, names: readonly string[]): Promise<Pushed> => {
  const [{ createTags }, remote] = await Promise.all([import("./git-tags.ts"), import("./push-tags.ts")]);
  const tagged = await findTagged(workshop, taken);
  const tags = tagged.ok ? createTags(workshop, tagged.value, names) : tagged;
  return tags.ok ? remote.pushTags(workshop, tags.value) : { names: [], problem: tags.error.message };
};

const withdrawTags = async (workshop: Workshop, names: readonly string[]): Promise<void> => {
  const remote = await import("./push-tags.ts");
  await remote.withdrawTags(workshop, names);
};

const describe = (workshop: Workshop, taken: Taken): Snapshot => {
  const { repository, folder, dispose } = workshop;
  return {
    ...taken.files.facts,
    folder,
    top: repository.top,
    travelling: listTravelling(taken.files),
    treeSha: taken.tree,
    isDirty: taken.files.isDirty,
    subFolder: repository.prefix,
    warnings: findWarnings(repository.top, taken.files),
    sizes: taken.files.sizes,
    writeTar: (path) => writeTar(workshop, taken.tree, path),
    pushTags: (names) => pushTags(workshop, taken, names),
    withdrawTags: (names) => withdrawTags(workshop, names),
    dispose,
  };
};

const takeIn = async (workshop: Workshop): Promise<Result<Snapshot, Failure>> => {
  const found = await findWorkingFiles(workshop);
  if (!found.ok) return found;
  const files = found.value;
  const size = checkSize(files.sizes);
  if (!size.ok) return size;
  const tree = await writeTree(workshop, files);
  return tree.ok ? ok(describe(workshop, { tree: tree.value, files })) : tree;
};

/**
 * The files as they are now, byte for byte, tracked or not, except the ignored ones. Null outside a repository. The user's repository
 * is only read: index and objects are written in a folder of our own, which `dispose` removes.
 */
export const takeSnapshot = async (cwd: string): Promise<Result<Snapshot, Failure> | null> => {
  const located = locateRepository(cwd);
  if (!located.ok) return located;
  if (located.value === null) return null;
  const workshop = createWorkshop(located.value);
  const snapshot = await takeIn(workshop);
  if (!snapshot.ok) workshop.dispose();
  return snapshot;
};
