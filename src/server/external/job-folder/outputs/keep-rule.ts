import type { Job } from "../../../core/jobs/job.ts";
import type { KeepRule } from "../../../core/running/outputs.ts";
import type { JobPaths } from "../job-paths.ts";
import { readManifest } from "./manifest.ts";
import { createMatcher } from "./pack-files.ts";

/** What of the job's folder is kept. */
export const createRule = async (
  { manifest }: JobPaths,
  { outputGlobs }: Pick<Job, "outputGlobs">,
): Promise<KeepRule> => ({
  listed: await readManifest(manifest),
  isAsked: outputGlobs === null ? null : createMatcher(outputGlobs),
});
