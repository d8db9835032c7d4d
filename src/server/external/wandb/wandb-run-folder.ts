import { constants } from "node:fs";
import { lstat, open, readFile, realpath } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import type { RunningJob } from "../../core/jobs/job.ts";
import { JOB_FILES } from "../job-folder/job-paths.ts";
import { listNewestRuns, listRunsBelow, type RunFolder } from "./list-run-folders.ts";

/** `projects` are those that the run's own files name. */
export type WandbRun = RunFolder & Readonly<{ projects: readonly string[] }>;

/** `wandbDir` is the job's `WANDB_DIR`, empty without one; only what belongs to `uid` counts. */
export type SearchedRuns = Readonly<{ wandbDir: string; uid: number }>;

const MAX_FILE_BYTES = 1024 * 1024;
const HEAD_BYTES = 64 * 1024;
const FINISHED_RUN = /finishing run [^/\n]{1,128}\/([^/\\#?%:\n]{1,128})\/(.+)$/gm;
const RELATIVE_LOG = /Logging user logs to ([^/\n][^\n]*)$/m;
const WRITER = /(?:MainThread:|Configure stats pid to )(\d{1,10})/g;
const MAX_WRITERS = 4;
const UNREADABLE = "";

const readOpened = async (path: string, uid: number, headBytes: number | null): Promise<string> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const about = await file.stat();
    const isTooLong = headBytes === null && about.size > MAX_FILE_BYTES;
    if (!about.isFile() || about.uid !== uid || isTooLong) return UNREADABLE;
    const length = Math.min(about.size, headBytes ?? about.size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
};

type Place = Readonly<{ folder: string; name: string; headBytes?: number }>;

const isOwnFolder = async (path: string, uid: number): Promise<boolean> => {
  const about = await lstat(path);
  return about.isDirectory() && about.uid === uid;
};

const readFileOf = async ({ path }: RunFolder, { folder, name, headBytes }: Place, uid: number): Promise<string> => {
  try {
    const isOwn = (await isOwnFolder(path, uid)) && (await isOwnFolder(join(path, folder), uid));
    return isOwn ? await readOpened(join(path, folder, name), uid, headBytes ?? null) : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
};

const listProjects = (log: string, id: string): readonly string[] =>
  [...log.matchAll(FINISHED_RUN)].flatMap(([, project, run]) =>
    project !== undefined && run?.trim() === id ? [project] : [],
  );

const listNames = async ({ id, dir }: RunningJob): Promise<readonly string[]> => {
  const realDir = await realpath(dir).catch(() => dir);
  return [`"${id}"`, `${dir}/`, `${realDir}/`];
};

const isOwnPlace = async ({ path }: RunFolder, log: string, { startedAt }: RunningJob): Promise<boolean> => {
  const place = RELATIVE_LOG.exec(log)?.[1];
  if (place === undefined || !`${path}/logs/debug.log`.endsWith(`/${normalize(place.trim())}`)) return false;
  const { mtimeMs } = await lstat(join(path, "logs", "debug.log"));
  return mtimeMs / 1000 >= startedAt;
};

const isProcessOf = async (pid: string, { id }: RunningJob): Promise<boolean> => {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  return `\0${environment}\0`.includes(`\0NEXUS_JOB_ID=${id}\0`);
};

const isWrittenBy = async (log: string, job: RunningJob): Promise<boolean> => {
  const writers = new Set([...log.matchAll(WRITER)].map(([, pid = ""]) => pid));
  const answers = await Promise.all([...writers].slice(0, MAX_WRITERS).map((pid) => isProcessOf(pid, job)));
  return answers.includes(true);
};

const recognizeRun = async (run: RunFolder, job: RunningJob, uid: number): Promise<WandbRun | null> => {
  const names = await listNames(job);
  const isNamedIn = (text: string): boolean => names.some((name) => text.includes(name));
  const metadata = await readFileOf(run, { folder: "files", name: "wandb-metadata.json" }, uid);
  const log = await readFileOf(run, { folder: "logs", name: "debug.log" }, uid);
  const isKnown =
    isNamedIn(metadata === UNREADABLE ? log : metadata) ||
    (await isOwnPlace(run, log, job)) ||
    isNamedIn(await readFileOf(run, { folder: "", name: `run-${run.id}.wandb`, headBytes: HEAD_BYTES }, uid)) ||
    (await isWrittenBy(log, job));
  return isKnown ? { ...run, projects: listProjects(log, run.id) } : null;
};

const listOutside = async (repo: string, wandbDir: string): Promise<readonly RunFolder[]> => {
  const place = resolve(repo, wandbDir);
  return wandbDir === "" || `${place}/`.startsWith(`${repo}/`) ? [] : listNewestRuns(place);
};

/**
 * The first W&B run under the job's `repo/`, or else where its `WANDB_DIR` is, that is the job's: its metadata names the job; an
 * offline run has none, so its log, what it recorded, or the process that writes it do. A log that names a relative place counts
 * where that is its own, and if it was written since the job's start.
 */
export const findWandbRun = async (job: RunningJob, { wandbDir, uid }: SearchedRuns): Promise<WandbRun | null> => {
  const repo = join(job.dir, JOB_FILES.repo);
  for (const list of [() => listRunsBelow(repo), () => listOutside(repo, wandbDir)])
    for (const run of await list()) {
      const recognized = await recognizeRun(run, job, uid);
      if (recognized !== null) return recognized;
    }
  return null;
};
