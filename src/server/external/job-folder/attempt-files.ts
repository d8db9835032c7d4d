import { lstatSync, readdirSync } from "node:fs";
import type { JobPaths } from "./job-paths.ts";
import { locateAside } from "./job-paths.ts";

export const CLAIM_NAME: RegExp = /^claim-[0-9a-z]+$/;

const isRealFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const holdsClaim = (dir: string): boolean =>
  readdirSync(dir, { withFileTypes: true }).some((entry) => CLAIM_NAME.test(entry.name) && !entry.isSymbolicLink());

const isAside = (paths: JobPaths, attempt: number): boolean => {
  const { dir } = locateAside(paths, attempt);
  try {
    return isRealFolder(paths.attempts) && isRealFolder(dir) && holdsClaim(dir);
  } catch {
    return false;
  }
};

/**
 * Where the files of an attempt are. Those of the newest have the known names, and are set aside before the next is made ready, its
 * claim last: so none of the next is found while those of the last have the known names, and no file is taken for another attempt's.
 */
export const locateAttempt = (paths: JobPaths, attempt: number): JobPaths =>
  isAside(paths, attempt) || (attempt > 1 && !isAside(paths, attempt - 1)) ? locateAside(paths, attempt) : paths;

/** Of each attempt whose files were set aside. */
export const listAside = (paths: JobPaths): readonly JobPaths[] => {
  if (!isRealFolder(paths.attempts)) return [];
  const numbers = readdirSync(paths.attempts).map(Number).filter(Number.isInteger);
  return numbers.map((number) => locateAside(paths, number)).filter(({ dir }) => isRealFolder(dir));
};
