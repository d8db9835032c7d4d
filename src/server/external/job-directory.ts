import { join, resolve } from "node:path";
import type { JobId } from "../core/job.ts";
import type { JobDirectory } from "../core/ports.ts";
import { removeTree } from "./remove-tree.ts";

/** Removing what is not there succeeds; it rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const pathOf = (id: JobId): string => resolve(serverDir, "jobs", id);
  return {
    pathOf,
    removeRepo: (id) => removeTree(join(pathOf(id), "repo")),
    remove: (id) => removeTree(pathOf(id)),
  };
};
