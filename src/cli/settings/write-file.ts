import { mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describeDiskTrouble } from "../../base/describe-disk-trouble.ts";
import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { replaceFile } from "../../tools/replace-file.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

const followLink = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** Readable by its owner alone, and there whole or not at all. A link stays one: the file that it names is replaced. */
export const writePrivateFile = (path: string, text: string): Result<void, Failure> => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    replaceFile(followLink(path), text, PRIVATE_FILE);
    return ok(undefined);
  } catch (error) {
    return fail(describeDiskTrouble(error, path) ?? `${path} can't be written: ${describeError(error)}`);
  }
};

export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
