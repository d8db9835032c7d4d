import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Opens a file to read; null for what is not there or is no regular file. A pipe or a link that a job put in its place is not waited for or followed. */
export const openRegular = async (path: string): Promise<FileHandle | null> => {
  const file = await open(path, FLAGS).catch(() => null);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
};

/** The same, as a descriptor, at once. */
export const openRegularSync = (path: string): number | null => {
  try {
    const file = openSync(path, FLAGS);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
    return null;
  } catch {
    return null;
  }
};
