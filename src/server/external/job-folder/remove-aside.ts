import { randomUUID } from "node:crypto";
import { lstatSync, renameSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../../../tools/remove-tree.ts";
import { locateJobs } from "./job-paths.ts";

/** What can't be looked at counts as there. */
export const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
};

/** What lies there is out of the way when this returns, all at once, and removed when it resolves; what a server that died left of it goes at the next start. */
export const removeAside = async (serverDir: string, path: string): Promise<void> => {
  if (!isThere(path)) return;
  const aside = join(locateJobs(serverDir), `.removed-${randomUUID()}`);
  renameSync(path, aside);
  await removeTree(aside);
};
