import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, renameSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../../tools/remove-tree.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { JobDirectory } from "../../core/running/executor.ts";
import { locateJobFiles, locateJobFolder, locateJobs } from "./job-paths.ts";

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Removing what is not there succeeds; it rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const jobs = locateJobs(serverDir);
  const pathOf = (id: JobId): string => locateJobFolder(serverDir, id);
  return {
    pathOf,
    list: async () => (existsSync(jobs) ? ((await readdir(jobs)) as JobId[]) : []),
    removeRepo: async (id) => {
      const { repo, artifact } = locateJobFiles(serverDir, id);
      for (const path of [repo, artifact].filter(isThere)) await removeTree(path);
    },
    remove: async (id) => {
      const aside = join(jobs, `.removed-${randomUUID()}`);
      if (!existsSync(pathOf(id))) return;
      renameSync(pathOf(id), aside);
      await removeTree(aside);
    },
  };
};
