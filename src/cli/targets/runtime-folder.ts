import { lstatSync } from "node:fs";

const SHORT_AND_PLAIN = /^\/[\w./-]{1,50}$/;
const OTHERS_WRITE = 0o022;

/** Whether it is a folder of this user's own, without the forbidden bits of mode. */
export const isOwnFolder = (path: string, forbidden: number): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & forbidden) === 0;
};

/** The user's own folder for sockets, null where the system has made none. */
export const locateRuntime = (): string | null => {
  const path = process.env["XDG_RUNTIME_DIR"] ?? "";
  return SHORT_AND_PLAIN.test(path) && isOwnFolder(path, OTHERS_WRITE) ? path : null;
};
