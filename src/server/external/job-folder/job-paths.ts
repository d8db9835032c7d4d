import { resolve } from "node:path";
import type { JobId } from "../../core/jobs/job.ts";

/** What a job's folder holds, by its name there. */
export const JOB_FILES = {
  script: "run.sh",
  commands: "job_commands.sh",
  screenrc: "screenrc",
  record: "job.json",
  artifact: "artifact",
  input: "input",
  jobrcLine: "jobrc_line",
  leftRunning: "left_running",
  repo: "repo",
  outputs: "outputs",
  manifest: "manifest",
  renamed: "renamed",
  attempts: "attempts",
  outputLog: "output.log",
  logCut: "log_cut",
  logTimes: "log_times",
  gpuUse: "gpu_use",
  errorLog: "error.log",
  exitCode: "exit_code",
  pending: "pending",
  pendingExitCode: "pending/exit_code",
  started: "started",
  terminated: "terminated",
} as const;

export type JobPaths = Readonly<{ dir: string } & Record<keyof typeof JOB_FILES, string>>;

export const locateJobs = (serverDir: string): string => resolve(serverDir, "jobs");

export const locateJobFolder = (serverDir: string, id: JobId): string => resolve(serverDir, "jobs", id);

const locateFilesIn = (dir: string): JobPaths => {
  const paths = Object.entries(JOB_FILES).map(([name, file]) => [name, `${dir}/${file}`]);
  return { dir, ...(Object.fromEntries(paths) as Record<keyof typeof JOB_FILES, string>) };
};

export const locateJobFiles = (serverDir: string, id: JobId): JobPaths => locateFilesIn(locateJobFolder(serverDir, id));

/** Where the files of an attempt lie that is not the newest. */
export const locateAside = (paths: JobPaths, attempt: number): JobPaths =>
  locateFilesIn(`${paths.attempts}/${attempt}`);
