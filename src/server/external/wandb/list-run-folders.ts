import { lstat, opendir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";

/** `isOffline`: W&B does not have it. */
export type RunFolder = Readonly<{ id: string; path: string; isOffline: boolean }>;

const MAX_DEPTH = 6;
const MAX_FOLDERS = 2000;
const MAX_LEVEL = 10_000;
const MAX_RUNS = 200;
const MAX_ENTRIES = 50_000;
const PLACES = ["", "wandb", ".wandb"];
const RUN_FOLDER = /^(offline-)?run-(\d{8}_\d{6})-([^/\\:;,#?']+)$/;

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
  const [, offline, , id] = RUN_FOLDER.exec(basename(path)) ?? [];
  return id === undefined ? [] : [{ id, path, isOffline: offline !== undefined }];
};

/** Looks six folders deep, at 2 000 folders at most; links are not followed. */
export const listRunsBelow = async (top: string): Promise<readonly RunFolder[]> => {
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

const readTime = (path: string): string => RUN_FOLDER.exec(basename(path))?.[2] ?? "";

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const listRunsOf = async (folder: string): Promise<readonly string[]> => {
  const found: string[] = [];
  if (!(await isFolder(folder))) return found;
  try {
    let seen = 0;
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory() && RUN_FOLDER.test(entry.name)) found.push(join(folder, entry.name));
      seen += 1;
      if (seen === MAX_ENTRIES) break;
    }
  } catch {
    return found;
  }
  return found;
};

/** Of the runs that lie where W&B's package puts them with this `WANDB_DIR` the newest 200, the first first; links are not followed. */
export const listNewestRuns = async (wandbDir: string): Promise<readonly RunFolder[]> => {
  if (!(await isFolder(wandbDir))) return [];
  const all = await Promise.all(PLACES.map((place) => listRunsOf(join(wandbDir, place))));
  const inOrder = all.flat().toSorted((a, b) => (readTime(a) < readTime(b) ? -1 : 1));
  return inOrder.slice(-MAX_RUNS).flatMap(toRunFolder);
};
