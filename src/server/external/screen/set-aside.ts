import { lstat, mkdir, readdir, rename, rm, symlink, unlink } from "node:fs/promises";
import { removeTree } from "../../../tools/remove-tree.ts";
import { listPast, numberAttempt } from "../../core/jobs/attempt.ts";
import type { StartingJob } from "../../core/jobs/job.ts";
import { chooseName } from "../../core/running/outputs.ts";
import { JOB_FILES, type JobPaths, locateAside } from "../job-folder/job-paths.ts";
import { hasStarted } from "../job-folder/outputs/has-started.ts";
import { keepFiles } from "../job-folder/outputs/keep-files.ts";
import { createRule } from "../job-folder/outputs/keep-rule.ts";
import { isThere } from "../job-folder/remove-aside.ts";
import { nameClaim } from "./job-files.ts";

const FOR_ALL: readonly string[] = [JOB_FILES.outputs, JOB_FILES.outputLog, JOB_FILES.errorLog, JOB_FILES.exitCode];

const OF_AN_ATTEMPT: readonly string[] = [
  ...[...FOR_ALL, JOB_FILES.repo, JOB_FILES.manifest, JOB_FILES.renamed, JOB_FILES.logCut, JOB_FILES.logTimes],
  ...[JOB_FILES.started, JOB_FILES.terminated, JOB_FILES.jobrcLine, JOB_FILES.leftRunning, JOB_FILES.gpuUse],
];

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const makeFolder = async (path: string): Promise<void> => {
  if (!(await isFolder(path))) await removeTree(path);
  await mkdir(path, { recursive: true, mode: 0o700 });
};

const move = async (from: string, folder: string, name: string): Promise<void> => {
  if (!isThere(`${from}/${name}`)) return;
  const free = chooseName(name, (one) => isThere(`${folder}/${one}`));
  if (free !== name) await rename(`${folder}/${name}`, `${folder}/${free}`);
  await rename(`${from}/${name}`, `${folder}/${name}`);
};

const dropLinks = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isSymbolicLink()) await unlink(`${folder}/${entry.name}`);
};

const moveAll = async (paths: JobPaths, attempt: number, claim: string | null): Promise<void> => {
  await makeFolder(paths.attempts);
  const aside = locateAside(paths, attempt);
  await makeFolder(aside.dir);
  await dropLinks(aside.dir);
  for (const name of [...OF_AN_ATTEMPT, ...(claim === null ? [] : [claim])]) await move(paths.dir, aside.dir, name);
};

const keep = async (aside: JobPaths, job: StartingJob): Promise<void> => {
  if (!isThere(aside.repo)) return;
  await keepFiles({ paths: aside, rule: await createRule(aside, job), onMoved: () => undefined });
  await removeTree(aside.repo);
  for (const path of [aside.manifest, aside.renamed]) await rm(path, { force: true });
};

/** Sets aside what the last attempt left, of what its command made what is to be kept; where that fails, all of it stays there. */
export const setAside = async (paths: JobPaths, job: StartingJob): Promise<void> => {
  const [last, attempt] = [listPast(job).at(-1), listPast(job).length];
  const claim = last === undefined ? null : nameClaim(last);
  if (claim !== null && isThere(`${paths.dir}/${claim}`)) await moveAll(paths, attempt, claim);
  if (attempt > 0) await keep(locateAside(paths, attempt), job).catch(() => undefined);
  if (await hasStarted(paths)) await moveAll(paths, numberAttempt(job), null);
};

/** Under its number the newest attempt of a job that may have several is found as all others are, by links to its files: a link to their folder would lead in a circle. */
export const numberNewest = async (paths: JobPaths, job: StartingJob): Promise<void> => {
  const number = numberAttempt(job);
  if (number === 1 && (job.retry?.count ?? 0) === 0) return;
  const { dir } = locateAside(paths, number);
  if (!(await isFolder(paths.attempts))) await makeFolder(paths.attempts);
  await makeFolder(dir);
  await dropLinks(dir);
  for (const name of [...FOR_ALL, nameClaim(job)])
    if (!isThere(`${dir}/${name}`)) await symlink(`../../${name}`, `${dir}/${name}`);
};
