import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { syncPath } from "./private-file.ts";

const PRIVATE = 0o600;

/** The file is there whole, as it was or as it is to be, and on disk when this returns; nobody else reads it before it has its mode. */
export const replaceFile = (path: string, content: string | Uint8Array, mode: number): void => {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, content, { flag: "wx", mode: PRIVATE });
  chmodSync(draft, mode);
  syncPath(draft);
  renameSync(draft, path);
  syncPath(dirname(path));
};
