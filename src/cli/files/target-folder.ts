import { accessSync, constants, writeFileSync } from "node:fs";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
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

const hideFromGit = (all: HeldFolder): void => writeFileSync(locateIn(all, ".gitignore"), "*\n", { flag: "wx" });

const openUsual = (id: string): Result<HeldFolder, Failure> => {
  const here = openTop(".");
  try {
    const isNew = findIn(here, USUAL) === null;
    const all = enterFolder(here, USUAL, USUAL);
    if (!all.ok) return fail(`${all.error.message}: ${ELSEWHERE}`);
    try {
      if (isNew) hideFromGit(all.value);
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

/** The folder that files go to; it is made if it is not there. A link on the way is followed only where the user named it. */
export const openTarget = (named: string | null, id: string): Result<TargetFolder, Failure> => {
  const shown = escapeText(named ?? `${USUAL}/${id}`);
  try {
    const opened = named === null ? openUsual(id) : ok(openTop(named));
    return opened.ok ? ok({ top: checkWritable(opened.value), shown }) : opened;
  } catch (error) {
    return fail(`${shown} can't be written (${describeSystemError(error)}): ${ELSEWHERE}`);
  }
};
