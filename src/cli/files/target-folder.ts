import { accessSync, constants, writeFileSync } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { takeFlock } from "../../tools/take-flock.ts";
import {
  closeFolder,
  describeSystemError,
  enterFolder,
  findIn,
  type HeldFolder,
  locateIn,
  openTop,
} from "./held-folder.ts";

/** `shown` is how it is called in messages. */
export type TargetFolder = Readonly<{ top: HeldFolder; shown: string }>;

const USUAL = "nexus-outputs";
const ELSEWHERE = "name another folder with -o";

/** Has git ignore all in a folder, so that no later job sends it. `path` is that of its `.gitignore`. */
export const hideFromGit = (path: string | Buffer): void => {
  try {
    writeFileSync(path, "*\n", { flag: "wx" });
  } catch (error) {
    if (readErrorCode(error) !== "EEXIST") throw error;
  }
};

const openUsual = (id: string): Result<HeldFolder, Failure> => {
  const here = openTop(".");
  try {
    const isNew = findIn(here, USUAL) === null;
    const all = enterFolder(here, USUAL, USUAL);
    if (!all.ok) return fail(`${all.error.message}: ${ELSEWHERE}`);
    try {
      if (isNew) hideFromGit(locateIn(all.value, ".gitignore"));
      const own = enterFolder(all.value, id, `${USUAL}/${id}`);
      return own.ok ? own : fail(`${own.error.message}: ${ELSEWHERE}`);
    } finally {
      closeFolder(all.value);
    }
  } finally {
    closeFolder(here);
  }
};

const checkWritable = (top: HeldFolder): HeldFolder => {
  accessSync(locateIn(top, "."), constants.W_OK | constants.X_OK);
  return top;
};

/** Where two calls write to one folder at once. */
export const ANOTHER_WRITES = "another nx pull writes to this folder";

const takeAlone = (top: HeldFolder, shown: string): Result<TargetFolder, Failure> => {
  if (takeFlock(top.fd)) return ok({ top: checkWritable(top), shown });
  closeFolder(top);
  return fail(`${ANOTHER_WRITES}, ${shown}: wait until it has ended, or ${ELSEWHERE}`);
};

/** The folder that files go to, by one call at a time; it is made if it is not there. A link on the way is followed only where the user named it. */
export const openTarget = (named: string | null, id: string): Result<TargetFolder, Failure> => {
  const shown = escapeText(named ?? `${USUAL}/${id}`);
  try {
    const opened = named === null ? openUsual(id) : ok(openTop(named));
    return opened.ok ? takeAlone(opened.value, shown) : opened;
  } catch (error) {
    return fail(`${shown} can't be written (${describeSystemError(error)}): ${ELSEWHERE}`);
  }
};
