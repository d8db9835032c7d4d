import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Repository } from "./git-repository.ts";
import { createKeptFolder, type KeptFolder, removeFolder } from "./kept-folder.ts";

/** A bare repository of our own that borrows the user's objects, and an index of our own. */
export type Workshop = KeptFolder & Readonly<{ repository: Repository; bare: string; env: NodeJS.ProcessEnv }>;

const PREFIX = "nx-snapshot-";
const OWNER = /^nx-snapshot-(\d+)-/;
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};

const removeLeftOver = (name: string): void => {
  const owner = OWNER.exec(name)?.[1];
  if (owner === undefined || isAlive(Number(owner))) return;
  try {
    removeFolder(join(tmpdir(), name));
  } catch {
    return;
  }
};

const renderConfig = (hash: string): string =>
  `[core]\n\tbare = true\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = ${hash}\n`;

const createBare = (bare: string, { objects, hash }: Repository): void => {
  for (const name of [join("objects", "info"), "refs", "info"]) mkdirSync(join(bare, name), { recursive: true });
  writeFileSync(join(bare, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(join(bare, "objects", "info", "alternates"), `${objects}\n`);
  writeFileSync(join(bare, "info", "attributes"), "* -export-ignore -export-subst -filter\n");
  writeFileSync(join(bare, "config"), renderConfig(hash));
};

/**
 * Removes what dead processes left.
 */
export const createWorkshop = (repository: Repository): Workshop => {
  for (const name of readdirSync(tmpdir())) removeLeftOver(name);
  const kept = createKeptFolder(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const { folder } = kept;
  const bare = join(folder, "git");
  createBare(bare, repository);
  const index = join(folder, "index");
  if (existsSync(repository.index)) copyFileSync(repository.index, index);
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: join(bare, "objects"),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: repository.objects,
  };
  return { repository, bare, env, ...kept };
};
