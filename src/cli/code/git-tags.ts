import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { runGit } from "./run-git.ts";
import type { Workshop } from "./snapshot-folder.ts";

/** `object` is the tag object's name, in our folder only. */
export type GitTag = Readonly<{ name: string; object: string }>;

/** `isCommitted`: the tree is the one of HEAD, whose commit is tagged then. */
export type TaggedTree = Readonly<{ tree: string; isCommitted: boolean }>;

const STRANGER = "Nexus <nexus@localhost>";

const stampTime = (): string => `${Math.floor(Date.now() / 1000)} +0000`;

const readIdentity = (top: string): string => {
  const asked = runGit(top, ["var", "GIT_COMMITTER_IDENT"]);
  return asked.ok ? asked.text : `${STRANGER} ${stampTime()}`;
};

const findHead = (top: string): string | null => {
  const head = runGit(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  return head.ok ? head.text : null;
};

const writeCommit = (
  { repository, bare }: Workshop,
  { tree, isCommitted }: TaggedTree,
  identity: string,
): Result<string, Failure> => {
  const head = findHead(repository.top);
  if (isCommitted && head !== null) return ok(head);
  const parent = head === null ? "" : `parent ${head}\n`;
  const input = `tree ${tree}\n${parent}author ${identity}\ncommitter ${identity}\n\nUncommitted changes of a Nexus job\n`;
  const written = runGit(bare, [`--git-dir=${bare}`, "hash-object", "-t", "commit", "-w", "--stdin"], { input });
  return written.ok ? ok(written.text) : fail(`git can't make a commit: ${written.problem}`);
};

const writeTexts = (folder: string, names: readonly string[], render: (name: string) => string): readonly string[] => {
  const target = join(folder, "tags");
  mkdirSync(target, { recursive: true });
  return names.map((name) => {
    const path = join(target, name);
    writeFileSync(path, render(name));
    return path;
  });
};

/** One annotated tag for each name, all in one run of git and written to our folder: the user's repository gets none. */
export const createTags = (
  workshop: Workshop,
  tagged: TaggedTree,
  names: readonly string[],
): Result<readonly GitTag[], Failure> => {
  const identity = readIdentity(workshop.repository.top);
  const commit = writeCommit(workshop, tagged, identity);
  if (!commit.ok) return commit;
  const render = (name: string): string =>
    `object ${commit.value}\ntype commit\ntag ${name}\ntagger ${identity}\n\nNexus job ${name.replace(/^nexus-/, "")}\n`;
  const paths = writeTexts(workshop.folder, names, render);
  const words = [`--git-dir=${workshop.bare}`, "hash-object", "-t", "tag", "-w", "--no-filters", "--stdin-paths"];
  const written = runGit(workshop.bare, words, { input: paths.map((path) => `${path}\n`).join("") });
  if (!written.ok) return fail(`git can't make a tag: ${written.problem}`);
  const objects = written.text.split("\n");
  return ok(names.map((name, index) => ({ name, object: objects[index] ?? "" })));
};
