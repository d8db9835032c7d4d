import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createPrivateFile, syncPath } from "./private-file.ts";

/**
 * The file is there whole, as it was or as `fill` makes its draft, and on disk when this returns; nobody else reads it before it
 * has its mode. Throws, and leaves no draft.
 */
export const replaceWith = (path: string, mode: number, fill: (draft: string) => void): void => {
  const draft = `${path}.${process.pid}.new`;
  try {
    rmSync(draft, { force: true });
    createPrivateFile(draft);
    fill(draft);
    chmodSync(draft, mode);
    syncPath(draft);
    renameSync(draft, path);
    syncPath(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
};

/** As `replaceWith`, with what is to be in it. */
export const replaceFile = (path: string, content: string | Uint8Array, mode: number): void =>
  replaceWith(path, mode, (draft) => writeFileSync(draft, content));
