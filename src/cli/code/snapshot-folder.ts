import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INTERRUPTED } from "../../command-line/usage.ts";
import type { Repository } from "./git-repository.ts";

/** A bare repository of our own that borrows the user's objects, and an index of our own. */
export type Workshop = Readonly<{
  repository: Repository;
  folder: string;
  bare: string;
  env: NodeJS.ProcessEnv;
  keep: <Value>(start: (signal: AbortSignal) => Promise<Value>) => Promise<Value>;
  dispose: () => void;
}>;

const PREFIX = "nx-snapshot-";
const OWNER = /^nx-snapshot-(\d+)-/;
const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};

const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });

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

const listenForStops = (stop: () => void): (() => void) => {
  for (const signal of STOPPING) process.once(signal, stop);
  return () => {
    for (const signal of STOPPING) process.off(signal, stop);
  };
};

const createKeptFolder = (): Pick<Workshop, "folder" | "keep" | "dispose"> => {
  const controller = new AbortController();
  let work: Promise<unknown> = Promise.resolve();
  let folder: string | null = null;
  const remove = (): void => (folder === null ? undefined : removeFolder(folder));
  process.once("exit", remove);
  const endListening = listenForStops(() => {
    controller.abort();
    void work.finally(() => process.exit(INTERRUPTED));
  });
  folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const keep: Workshop["keep"] = (start) => {
    const started = start(controller.signal);
    work = started;
    return started;
  };
  const dispose = (): void => {
    remove();
    process.off("exit", remove);
    setImmediate(endListening);
  };
  return { folder, keep, dispose };
};

/**
 * Removes what dead processes left. A stopped process waits for what it keeps, and removes its folder: stops are heard
 * from before there is a folder until after there is one.
 */
export const createWorkshop = (repository: Repository): Workshop => {
  for (const name of readdirSync(tmpdir())) removeLeftOver(name);
  const kept = createKeptFolder();
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
