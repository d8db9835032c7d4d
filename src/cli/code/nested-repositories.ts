import { join } from "node:path";
import { readName, runGit, splitNames } from "./run-git.ts";
import type { Workshop } from "./snapshot-folder.ts";

/**
 * What git neither tracks nor ignores: files and links, `adopted` folders that are repositories without a commit, whose files are among them,
 * and `nested` ones with a commit.
 */
export type Untracked = Readonly<{
  names: readonly string[];
  adopted: readonly string[];
  nested: readonly string[];
}>;

const ELSEWHERE = {
  GIT_DIR: undefined,
  GIT_COMMON_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
};
const HERE = ["--git-dir=.git", "--work-tree=."];
const LISTING = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];

const dropIgnored = ({ repository, env }: Workshop, names: readonly string[]): readonly string[] => {
  const input = names.map((name) => `${name}\0`).join("");
  const asked = runGit(repository.top, ["check-ignore", "-z", "--stdin"], { env, input, encoding: "latin1" });
  const ignored = new Set(splitNames(asked.text));
  return names.filter((name) => !ignored.has(name));
};

const listUnborn = ({ repository }: Workshop, folder: string): readonly string[] | null => {
  const text = readName(folder);
  if (text.includes("\ufffd")) return null;
  const cwd = join(repository.top, text);
  if (runGit(cwd, [...HERE, "rev-parse", "--verify", "--quiet", "HEAD"], { env: ELSEWHERE }).ok) return null;
  const listed = runGit(cwd, [...HERE, ...LISTING], { env: ELSEWHERE, encoding: "latin1" });
  return listed.ok ? splitNames(listed.text).map((name) => `${folder}${name}`) : null;
};

const expand = (workshop: Workshop, name: string): Untracked => {
  if (!name.endsWith("/")) return { names: [name], adopted: [], nested: [] };
  const folder = name.slice(0, -1);
  const inside = listUnborn(workshop, name);
  if (inside === null) return { names: [], adopted: [], nested: [folder] };
  const all = expandNested(workshop, dropIgnored(workshop, inside));
  return { ...all, adopted: [folder, ...all.adopted] };
};

/** `names` end with a slash where they are repositories. */
export const expandNested = (workshop: Workshop, names: readonly string[]): Untracked => {
  const all = names.map((name) => expand(workshop, name));
  return {
    names: all.flatMap((one) => one.names),
    adopted: all.flatMap((one) => one.adopted),
    nested: all.flatMap((one) => one.nested),
  };
};
