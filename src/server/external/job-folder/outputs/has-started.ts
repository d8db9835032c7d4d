import { lstatSync, readdirSync } from "node:fs";
import { describeFile } from "../../../core/running/outputs.ts";
import type { JobPaths } from "../job-paths.ts";
import { isThere } from "../remove-aside.ts";
import { openFolder, openFolderIn, withFolder } from "./folder.ts";
import { readManifest } from "./manifest.ts";
import { type Enter, walkFiles } from "./walk.ts";

const LARGEST_SMALL_FOLDER = 4096;

export const isEmptyFolder = (path: string): boolean => {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return true;
    return found.isDirectory() && found.size <= LARGEST_SMALL_FOLDER && readdirSync(path).length === 0;
  } catch {
    return false;
  }
};

const findUnlisted = async ({ repo }: JobPaths, listed: ReadonlySet<string>): Promise<boolean> => {
  let isDeep = false;
  const enter: Enter = (folder, { name }) => openFolderIn(folder, name);
  const onTooDeep = (): void => {
    isDeep = true;
  };
  return withFolder(openFolder(repo), async (folder) => {
    for await (const { file } of walkFiles({ folder, path: "", isMadeAgain: false }, { enter, onTooDeep }))
      if (!listed.has(describeFile(file))) return true;
    return isDeep;
  });
};

const holdsUnlisted = async (paths: JobPaths): Promise<boolean> => {
  if (isEmptyFolder(paths.repo)) return false;
  const listed = await readManifest(paths.manifest);
  return listed === null || findUnlisted(paths, listed).catch(() => true);
};

/**
 * Whether a job's command may have started: `started` says so, or what lies in its folders and was not unpacked there, should the command have
 * removed that. While its code is being unpacked, its artifact is there.
 */
export const hasStarted = async (paths: JobPaths): Promise<boolean> =>
  isThere(paths.started) || !isEmptyFolder(paths.outputs) || (!isThere(paths.artifact) && (await holdsUnlisted(paths)));
