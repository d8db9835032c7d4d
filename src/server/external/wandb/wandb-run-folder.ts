import { constants } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import { basename, join, normalize } from "node:path";
import type { RunningJob } from "../../core/jobs/job.ts";
import { JOB_FILES } from "../job-folder/job-paths.ts";

/** `projects` are those that the run's own files name. */
export type WandbRun = Readonly<{ id: string; projects: readonly string[] }>;

type RunFolder = Readonly<{ id: string; path: string }>;

const MAX_DEPTH = 6;
const MAX_FOLDERS = 2000;
const MAX_LEVEL = 10_000;
const MAX_RUNS = 200;
const MAX_FILE_BYTES = 1024 * 1024;
const RUN_FOLDER = /^(?:offline-)?run-\d{8}_\d{6}-([^/\\:;,#?']+)$/;
const FINISHED_RUN = /finishing run [^/\n]{1,128}\/([^/\\#?%:\n]{1,128})\/(.+)$/gm;
const RELATIVE_LOG = /Logging user logs to ([^/\n][^\n]*)$/m;
const UNREADABLE = "";

const compareFolders = (a: string, b: string): number =>
  Number(basename(b) === "wandb") - Number(basename(a) === "wandb") || (a < b ? -1 : 1);

const listFolders = async (folder: string): Promise<readonly string[]> => {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders = entries.flatMap((entry) => (entry.isDirectory() ? [join(folder, entry.name)] : []));
    return folders.sort(compareFolders).slice(0, MAX_FOLDERS);
  } catch {
    return [];
  }
};

const listLevel = async (folders: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const folder of folders) if (found.length < MAX_LEVEL) found.push(...(await listFolders(folder)));
  return found.sort(compareFolders);
};

const toRunFolder = (path: string): readonly RunFolder[] => {
  const id = RUN_FOLDER.exec(basename(path))?.[1];
  return id === undefined ? [] : [{ id, path }];
};

const listRunFolders = async (top: string): Promise<readonly RunFolder[]> => {
  const runs: RunFolder[] = [];
  let level: readonly string[] = [top];
  let left = MAX_FOLDERS;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0 && left > 0; depth++) {
    const inside = await listLevel(level.slice(0, left));
    runs.push(...inside.flatMap(toRunFolder));
    left -= level.length;
    level = inside.filter((folder) => toRunFolder(folder).length === 0);
  }
  return runs.slice(0, MAX_RUNS);
};

const readPlainFile = async (path: string): Promise<string> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const about = await file.stat();
    if (!about.isFile() || about.size > MAX_FILE_BYTES) return UNREADABLE;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(about.size), 0, about.size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
};

const readFileOf = async ({ path }: RunFolder, folder: string, name: string): Promise<string> => {
  try {
    const isFolder = (await lstat(join(path, folder))).isDirectory();
    return isFolder ? await readPlainFile(join(path, folder, name)) : UNREADABLE;
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

/**
 * The first W&B run under the job's `repo/` whose metadata names the job; an offline run has none, so its log
 * counts. A log that names a relative place counts where that is its own, and if it was written since the job's start.
 */
export const findWandbRun = async (job: RunningJob): Promise<WandbRun | null> => {
  const names = await listNames(job);
  for (const run of await listRunFolders(join(job.dir, JOB_FILES.repo))) {
    const metadata = await readFileOf(run, "files", "wandb-metadata.json");
    const log = await readFileOf(run, "logs", "debug.log");
    const known = metadata === UNREADABLE ? log : metadata;
    const isNamed = names.some((name) => known.includes(name));
    if (isNamed || (await isOwnPlace(run, log, job))) return { id: run.id, projects: listProjects(log, run.id) };
  }
  return null;
};
