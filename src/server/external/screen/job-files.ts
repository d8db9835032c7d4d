import { closeSync, existsSync, fstatSync, readSync } from "node:fs";
import { openRegularSync } from "../../../tools/open-regular.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import { deriveLaunchToken } from "../../core/jobs/launch-token.ts";
import type { JobPaths } from "../job-folder/job-paths.ts";

const MS_PER_S = 1000;
const MAX_TEXT_BYTES = 64 * 1024;
const LAST_LINE_BYTES = 4096;
const FIRST_LINES_BYTES = 4096;
const RECORDER_END = "\nScript done";
const LAST_EXIT_CODE = /COMMAND_EXIT_CODE="(\d{1,3})"[^\n]*\n?$/;

export const nameClaim = (launch: Pick<ActiveJob, "startedAt">): string => `claim-${deriveLaunchToken(launch)}`;

export const locateClaim = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): string =>
  `${paths.dir}/${nameClaim(job)}`;

const readPart = (path: string, part: "start" | "end", maxBytes: number): Buffer | null => {
  const file = openRegularSync(path);
  if (file === null) return null;
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const length = readSync(file, buffer, 0, buffer.length, part === "start" ? 0 : size - buffer.length);
    return buffer.subarray(0, length);
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
};

/** Its first 64 KiB; null for what is no regular file. */
export const readTextIfThere = (path: string): string | null =>
  readPart(path, "start", MAX_TEXT_BYTES)?.toString("utf8") ?? null;

const parseExitCode = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : null;

const readExitCodeFromLog = (paths: JobPaths): number | null =>
  parseExitCode(LAST_EXIT_CODE.exec(readPart(paths.outputLog, "end", LAST_LINE_BYTES)?.toString("latin1") ?? "")?.[1]);

/** A job begun by an older version has no claim; its exit code is in the last line of its log. */
export const readExitCode = (paths: JobPaths, job: ActiveJob): number | null => {
  const recorded = parseExitCode(readTextIfThere(paths.exitCode)?.trim());
  if (recorded !== null || existsSync(locateClaim(paths, job))) return recorded;
  return job.status === "running" ? readExitCodeFromLog(paths) : null;
};

/** When the exit code was written, in Unix seconds; null where it was not. */
export const readExitTime = ({ exitCode }: JobPaths): number | null => {
  const file = openRegularSync(exitCode);
  if (file === null) return null;
  try {
    return fstatSync(file).mtimeMs / MS_PER_S;
  } finally {
    closeSync(file);
  }
};

/** The inner script has had its first word in the job's terminal, below the recorder's line. */
export const hasBegun = (paths: JobPaths): boolean => {
  if (existsSync(paths.started)) return true;
  const text = readPart(paths.outputLog, "start", FIRST_LINES_BYTES)?.toString("latin1") ?? "";
  const firstLineEnd = text.indexOf("\n");
  return firstLineEnd !== -1 && text.length > firstLineEnd + 1 && !text.startsWith(RECORDER_END, firstLineEnd + 1);
};

const LINE = /^[1-9]\d{0,8}\n$/;

/** The line at which the jobrc failed; null where it did not, or there was none. */
export const readJobrcLine = ({ jobrcLine }: JobPaths): number | null => {
  const text = readTextIfThere(jobrcLine) ?? "";
  return LINE.test(text) ? Number(text) : null;
};

const LEFT_RUNNING = /^([1-9]\d{0,9}) (.{1,64})$/;

/** The names of those that the command had left running at its end, by pid. */
export const readLeftRunning = ({ leftRunning }: JobPaths): ReadonlyMap<number, string> => {
  const lines = (readTextIfThere(leftRunning) ?? "").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, pid, name] = LEFT_RUNNING.exec(line) ?? [];
      return name === undefined ? [] : [[Number(pid), name] as const];
    }),
  );
};

const BEGUN_EARLIER = "Starting job execution...";

/** What went wrong before the job's command could start; null if it started, or if nothing was reported. */
export const readStartFailure = (paths: JobPaths): string | null => {
  if (existsSync(paths.started)) return null;
  const firstLine = readTextIfThere(paths.errorLog)?.trimStart().split("\n")[0]?.trim();
  return firstLine && firstLine !== BEGUN_EARLIER ? firstLine : null;
};
