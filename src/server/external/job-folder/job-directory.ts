import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, renameSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeTree } from "../../../tools/remove-tree.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { JobDirectory } from "../../core/running/executor.ts";

const NEEDED_BY_THE_RUNNING_JOB = ["repo", "artifact"];

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Removing what is not there succeeds; it rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const jobs = resolve(serverDir, "jobs");
  const pathOf = (id: JobId): string => join(jobs, id);
  return {
    pathOf,
    list: async () => (existsSync(jobs) ? ((await readdir(jobs)) as JobId[]) : []),
    removeRepo: async (id) => {
      const paths = NEEDED_BY_THE_RUNNING_JOB.map((name) => join(pathOf(id), name));
      for (const path of paths.filter(isThere)) await removeTree(path);
    },
    remove: async (id) => {
      const aside = join(jobs, `.removed-${randomUUID()}`);
      if (!existsSync(pathOf(id))) return;
      renameSync(pathOf(id), aside);
      await removeTree(aside);
    },
  };
};
