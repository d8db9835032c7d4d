import { closeSync, constants, fstatSync, openSync, writeFileSync } from "node:fs";

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const PRIVATE = 0o600;

/** Opens a file to write at its end. Throws where something else is in its place: a pipe is not waited for, a link not followed, a file with another name elsewhere not written to. */
export const openToAppend = (path: string): number => {
  const file = openSync(path, FLAGS, PRIVATE);
  const found = fstatSync(file);
  if (found.isFile() && found.nlink === 1) return file;
  closeSync(file);
  throw new Error(`${path} is not a file of its own any more`);
};

export const appendToRegular = (path: string, bytes: Uint8Array): void => {
  const file = openToAppend(path);
  try {
    writeFileSync(file, bytes);
  } finally {
    closeSync(file);
  }
};
