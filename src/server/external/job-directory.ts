import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, renameSync } from "node:fs";
import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { JobId } from "../core/job.ts";
import type { JobDirectory } from "../core/ports.ts";

const unlockFolders = async (folder: string): Promise<void> => {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlockFolders(join(folder, entry.name));
  }
};

const unlockIfFolder = async (path: string): Promise<void> => {
  const status = await lstat(path);
  if (status.isDirectory()) await unlockFolders(path);
};

const NEEDED_BY_THE_RUNNING_JOB = ["repo", "artifact"];

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const removeTree = async (path: string): Promise<void> => {
  if (!isThere(path)) return;
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await unlockIfFolder(path).catch(() => undefined);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
};

/** Removing what is not there succeeds; read-only folders are removed too, links are never followed. Rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const jobs = resolve(serverDir, "jobs");
  const pathOf = (id: JobId): string => join(jobs, id);
  return {
    pathOf,
    list: async () => (existsSync(jobs) ? ((await readdir(jobs)) as JobId[]) : []),
    removeRepo: async (id) => {
      for (const name of NEEDED_BY_THE_RUNNING_JOB) await removeTree(join(pathOf(id), name));
    },
    remove: async (id) => {
      const aside = join(jobs, `.removed-${randomUUID()}`);
      if (!existsSync(pathOf(id))) return;
      renameSync(pathOf(id), aside);
      await removeTree(aside);
    },
  };
};
