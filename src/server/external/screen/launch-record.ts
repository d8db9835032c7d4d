import { existsSync, readdirSync } from "node:fs";
import type { JobId, StartingJob } from "../../core/jobs/job.ts";
import { completeStored } from "../../core/jobs/stored-job.ts";
import { type JobPaths, locateJobFiles, locateJobs } from "../job-folder/job-paths.ts";
import { readClaim } from "./claim.ts";
import { readTextIfThere } from "./job-files.ts";

const isLaunchOf = (value: unknown, id: JobId): value is StartingJob =>
  typeof value === "object" &&
  value !== null &&
  Reflect.get(value, "id") === id &&
  Reflect.get(value, "status") === "starting" &&
  typeof Reflect.get(value, "startedAt") === "number";

export const renderLaunchRecord = (job: StartingJob): string => `${JSON.stringify(job)}\n`;

/** The job as it was when it was last made ready to start; null when nothing says so. */
export const readLaunchRecord = (paths: JobPaths, id: JobId): StartingJob | null => {
  try {
    const record: unknown = JSON.parse(readTextIfThere(paths.record) ?? "null");
    return isLaunchOf(record, id) ? (completeStored(record) as StartingJob) : null;
  } catch {
    return null;
  }
};

const readLaunch = (serverDir: string, id: JobId): readonly StartingJob[] => {
  const paths = locateJobFiles(serverDir, id);
  const record = readLaunchRecord(paths, id);
  if (record === null || readClaim(paths, record)?.kind !== "launched") return [];
  return [{ ...record, markedForKill: record.markedForKill || existsSync(paths.terminated) }];
};

/** Every launch that the folders of jobs tell of, whether or not it has ended. */
export const readLaunches = (serverDir: string): readonly StartingJob[] => {
  const folder = locateJobs(serverDir);
  const ids = existsSync(folder) ? readdirSync(folder) : [];
  return ids.flatMap((id) => readLaunch(serverDir, id as JobId));
};
