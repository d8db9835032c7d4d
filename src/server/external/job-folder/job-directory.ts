import { existsSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { removeTree } from "../../../tools/remove-tree.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { JobDirectory } from "../../core/running/executor.ts";
import { locateJobFiles, locateJobFolder, locateJobs } from "./job-paths.ts";
import { hasStarted } from "./outputs/has-started.ts";
import { removeAside } from "./remove-aside.ts";

/** Removing what is not there succeeds; it rejects if something stays. */
export const createJobDirectory = (serverDir: string): JobDirectory => {
  const jobs = locateJobs(serverDir);
  const pathOf = (id: JobId): string => locateJobFolder(serverDir, id);
  return {
    pathOf,
    list: async () => (existsSync(jobs) ? ((await readdir(jobs)) as JobId[]) : []),
    removeRepo: async (id) => {
      const paths = locateJobFiles(serverDir, id);
      const { repo, artifact, input } = paths;
      const isWork = await hasStarted(paths);
      if (isWork) await rmdir(repo).catch(() => undefined);
      for (const path of isWork ? [artifact, input] : [repo, artifact, input]) await removeTree(path);
    },
    remove: (id) => removeAside(serverDir, pathOf(id)),
  };
};
