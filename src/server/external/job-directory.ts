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

const removeTree = async (path: string): Promise<void> => {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await unlockIfFolder(path).catch(() => undefined);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
};

/** Removing what is not there succeeds; read-only folders are removed too, links are never followed. Rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const pathOf = (id: JobId): string => resolve(serverDir, "jobs", id);
  return {
    pathOf,
    removeRepo: (id) => removeTree(join(pathOf(id), "repo")),
    remove: (id) => removeTree(pathOf(id)),
  };
};
