import { lstatSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { digestText } from "../../../tools/digest.ts";
import { nameSharedFileSystem } from "../../../tools/shared-folder.ts";
import { locatePersonalSocket } from "../../../wire/local-socket.ts";

const OWN_UID = process.getuid?.() ?? 0;
const PRIVATE = 0o700;
const BY_OTHERS = 0o077;

const judgeFolder = (folder: string): string | null => {
  const found = lstatSync(folder);
  if (!found.isDirectory()) return "is no folder";
  if (found.uid !== OWN_UID) return "belongs to another user";
  return (found.mode & BY_OTHERS) === 0 ? null : "is open to others (chmod 700 mends that)";
};

const makeOwn = (folder: string): Result<void, Problem> => {
  const where = `${folder}, where the server's socket is to be,`;
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE });
    const fault = judgeFolder(folder);
    return fault === null
      ? ok(undefined)
      : err({ message: `${where} ${fault}: mend it, or choose another server_dir` });
  } catch (error) {
    return err({ message: `${where} can't be used: ${describeError(error)}` });
  }
};

/** Where a personal server of the folder listens for its own user. */
export const locateOwnSocket = (folder: string): string => {
  const serverDir = resolve(folder);
  const isShared = nameSharedFileSystem(serverDir) !== null;
  const runtimeDir = process.env["XDG_RUNTIME_DIR"] || null;
  return locatePersonalSocket({ serverDir, digest: digestText(serverDir), isShared, runtimeDir, uid: OWN_UID });
};

/** The same, for who is to listen there: a folder for it outside the server's is made, and must be the user's alone. */
export const preparePersonalSocket = (folder: string): Result<string, Problem> => {
  const path = locateOwnSocket(folder);
  if (dirname(path) === resolve(folder)) return ok(path);
  const made = makeOwn(dirname(path));
  return made.ok ? ok(path) : made;
};
