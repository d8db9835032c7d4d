import { copyFileSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readErrorCode } from "../../base/error-code.ts";
import type { Repository } from "./git-repository.ts";
import { createKeptFolder, type KeptFolder, removeFolder } from "./kept-folder.ts";

/**
 * A bare repository of our own that borrows the user's objects, and an index of our own. With `env` git is in the user's repository,
 * with `byteEnv` in ours, where nothing is converted; both with our index and objects.
 */
export type Workshop = KeptFolder &
  Readonly<{ repository: Repository; bare: string; index: string; env: NodeJS.ProcessEnv; byteEnv: NodeJS.ProcessEnv }>;

const PREFIX = "nx-snapshot-";
const OWNER = /^nx-snapshot-(\d+)-/;
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return readErrorCode(error) === "EPERM";
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

const ATTRIBUTES = ["-export-ignore", "-export-subst", "-text", "-ident", "-filter", "!working-tree-encoding"];

const linkSharedIndexes = (bare: string, { folder }: Repository): void => {
  for (const name of readdirSync(folder).filter((one) => one.startsWith("sharedindex.")))
    symlinkSync(join(folder, name), join(bare, name));
};

/** With a time at least as old as the other's, so that git looks again at what changed in the tick in which the other was written. */
export const copyIndex = (from: string, to: string): void => {
  const status = statSync(from, { throwIfNoEntry: false });
  if (status === undefined) return;
  const seconds = Math.floor(status.mtimeMs / 1000);
  copyFileSync(from, to);
  utimesSync(to, seconds, seconds);
};

const createBare = (bare: string, repository: Repository): void => {
  const { objects, hash } = repository;
  for (const name of [join("objects", "info"), "refs", "info"]) mkdirSync(join(bare, name), { recursive: true });
  writeFileSync(join(bare, "HEAD"), "ref: refs/heads/none\n");
  writeFileSync(join(bare, "objects", "info", "alternates"), `${objects}\n`);
  writeFileSync(join(bare, "info", "attributes"), `* ${ATTRIBUTES.join(" ")}\n`);
  writeFileSync(join(bare, "config"), renderConfig(hash));
  linkSharedIndexes(bare, repository);
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
  copyIndex(repository.index, index);
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: join(bare, "objects"),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: repository.objects,
  };
  const byteEnv = { ...env, GIT_DIR: bare, GIT_WORK_TREE: repository.top, GIT_COMMON_DIR: undefined };
  return { repository, bare, index, env, byteEnv, ...kept };
};
