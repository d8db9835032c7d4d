import { closeSync, fsyncSync, openSync } from "node:fs";

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
