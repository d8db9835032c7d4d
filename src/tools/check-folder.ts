import { lstatSync, statSync } from "node:fs";
import { err, ok, type Problem, type Result } from "../base/result.ts";

const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;

/** Whether only this user can put files into the folder, so that nobody else can place links there. */
export const checkFolder = (path: string): Result<void, Problem> => {
  const uid = process.getuid?.() ?? ROOT;
  const folder = statSync(path, { throwIfNoEntry: false });
  if (folder === undefined) return err({ message: `${path} is not there` });
  if (folder.uid !== uid) return err({ message: `${path} belongs to another user: choose a folder of your own` });
  const entry = lstatSync(path);
  if (entry.uid !== uid && entry.uid !== ROOT) return err({ message: `${path} is a link that another user made` });
  if ((folder.mode & WRITABLE_BY_OTHERS) === 0) return ok(undefined);
  return err({ message: `others may write to ${path}: forbid it with chmod go-w ${path}` });
};
