import { afterEach, beforeEach } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Snapshot, takeSnapshot } from "../../src/cli/code/code-snapshot.ts";

export const AUTHOR = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.org",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.org",
} as const;

export const gitIn = (cwd: string, ...words: readonly string[]): string =>
  execFileSync("git", ["-c", "protocol.file.allow=always", ...words], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...AUTHOR },
    stdio: ["ignore", "pipe", "pipe"],
  });

/** A repository of one test's own. `folder` is where it lies, with room beside it. */
export type Bench = Readonly<{
  folder: string;
  repository: string;
  git: (...words: readonly string[]) => string;
  write: (name: string, text: string) => void;
  commitAll: () => void;
  snap: (cwd?: string) => Promise<Snapshot>;
  unpack: (snapshot: Snapshot) => Promise<string>;
}>;

export const openBench = (folder: string, name = "repository", ...more: readonly string[]): Bench => {
  const repository = join(folder, name);
  const git: Bench["git"] = (...words) => gitIn(repository, ...words);
  mkdirSync(repository);
  git("init", "--quiet", "--initial-branch=main", ...more);
  return {
    folder,
    repository,
    git,
    write: (name, text) => {
      mkdirSync(join(repository, name, ".."), { recursive: true });
      writeFileSync(join(repository, name), text);
    },
    commitAll: () => {
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "-m", "one");
    },
    snap: async (cwd = repository) => {
      const snapshot = await takeSnapshot(cwd);
      if (snapshot === null || !snapshot.ok) throw new Error(`no snapshot: ${JSON.stringify(snapshot)}`);
      return snapshot.value;
    },
    unpack: async (snapshot) => {
      const tar = join(folder, "tree.tar");
      const target = mkdtempSync(join(folder, "unpacked-"));
      const written = await snapshot.writeTar(tar);
      snapshot.dispose();
      if (!written.ok) throw new Error(written.error.message);
      execFileSync("tar", ["-xf", tar, "-C", target]);
      return target;
    },
  };
};

/** A fresh bench for each test of the file, handed over before it. */
export const useBench = (take: (bench: Bench) => void): void => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nexus-git-"));
    take(openBench(folder));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
};
