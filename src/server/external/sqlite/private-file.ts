import { chownSync, closeSync, fsyncSync, openSync, statSync } from "node:fs";

const PRIVATE = 0o600;

/** Fails when it is there. */
export const createPrivateFile = (path: string): void => closeSync(openSync(path, "wx", PRIVATE));

/** On disk when this returns; for a folder, the names in it. */
export const syncPath = (path: string): void => {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** What root writes for the server belongs to the user whose folder it is. */
export const giveToOwnerOf = (folder: string, path: string): void => {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  chownSync(path, uid, gid);
};
