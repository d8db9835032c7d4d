import {
  closeSync,
  copyFileSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { openRegularSync } from "../../../tools/open-regular.ts";
import { syncPath } from "../../../tools/private-file.ts";
import { type EndedJob, isEnded, type RunningJob } from "../../core/jobs/job.ts";
import { JOB_FILES, type JobPaths, locateJobFiles } from "../job-folder/job-paths.ts";
import { readExitCode } from "../screen/job-files.ts";

export type StartedJob = (RunningJob | EndedJob) & Readonly<{ dir: string }>;

const PRIVATE = 0o700;
const LOGS: readonly string[] = [JOB_FILES.outputLog, JOB_FILES.errorLog];

const isFolder = (path: string): boolean =>
  path !== "" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;

const tryLink = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
};

const copyRegular = (from: string, to: string): void => {
  const file = openRegularSync(from);
  if (file === null) return;
  try {
    copyFileSync(`/proc/self/fd/${file}`, to);
    const { atime, mtime } = fstatSync(file);
    utimesSync(to, atime, mtime);
    syncPath(to);
  } finally {
    closeSync(file);
  }
};

const placeLogs = (dir: string, paths: JobPaths): void => {
  mkdirSync(paths.dir, { mode: PRIVATE });
  for (const name of LOGS) {
    const from = join(dir, name);
    if (isFile(from) && !tryLink(from, join(paths.dir, name))) copyRegular(from, join(paths.dir, name));
  }
};

const MADE: ReadonlySet<string> = new Set([...LOGS, JOB_FILES.started, JOB_FILES.exitCode]);

const clear = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isSymbolicLink()) {
    unlinkSync(path);
    return;
  }
  const other = readdirSync(path).find((name) => !MADE.has(name));
  if (other !== undefined) throw new Error(`${path} holds ${other} of another job: move it away`);
  rmSync(path, { recursive: true });
};

const placeLiving = (dir: string, paths: JobPaths): void => {
  mkdirSync(paths.dir, { mode: PRIVATE });
  if (tryLink(join(dir, JOB_FILES.outputLog), paths.outputLog)) {
    tryLink(join(dir, JOB_FILES.errorLog), paths.errorLog);
    writeFileSync(paths.started, "");
    return;
  }
  clear(paths.dir);
  symlinkSync(dir, paths.dir);
};

const placeGone = (job: RunningJob, paths: JobPaths): void => {
  placeLogs(job.dir, paths);
  writeFileSync(paths.started, "");
  const exitCode = readExitCode(paths, job);
  if (exitCode === null) return;
  const { atime, mtime } = lstatSync(paths.outputLog);
  writeFileSync(paths.exitCode, `${exitCode}\n`);
  utimesSync(paths.exitCode, atime, mtime);
};

const place = (job: StartedJob, paths: JobPaths, isAlive: boolean): void => {
  if (isEnded(job)) placeLogs(job.dir, paths);
  else if (isAlive) placeLiving(job.dir, paths);
  else placeGone(job, paths);
  syncPath(dirname(paths.dir));
};

const isInPlace = (dir: string, paths: JobPaths): boolean =>
  isFolder(paths.dir) && realpathSync(dir) === realpathSync(paths.dir);

/**
 * Gives a job that is taken over its folder here, with its logs: the same files where that can be, else copies, and of a session that lives
 * a link to its folder. What a call that was cut off left there goes. The function that is returned takes it away again. Throws.
 */
export const placeEarlierFolder = (serverDir: string, job: StartedJob, isAlive: boolean): (() => void) => {
  const paths = locateJobFiles(serverDir, job.id);
  if (!isFolder(job.dir) || isInPlace(job.dir, paths)) return () => undefined;
  mkdirSync(dirname(paths.dir), { recursive: true, mode: PRIVATE });
  clear(paths.dir);
  try {
    place(job, paths, isAlive);
  } catch (error) {
    clear(paths.dir);
    throw error;
  }
  return () => clear(paths.dir);
};
