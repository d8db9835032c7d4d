import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";

const REASONS: readonly (readonly [code: RegExp, reason: string])[] = [
  [/^SQLITE_FULL/, "its disk is full"],
  [/^SQLITE_READONLY/, "it is read-only"],
  [/^SQLITE_BUSY/, "another program keeps it locked"],
  [/^SQLITE_(CORRUPT|NOTADB)/, "it is damaged, nexus-server restore puts the last backup in its place"],
  [/^SQLITE_(IOERR|CANTOPEN|PROTOCOL|NOLFS)/, "its disk fails"],
];

/** What is wrong with the database file itself, or null when the error is the statement's own. */
export const explainFault = (error: unknown): string | null => {
  const code = readErrorCode(error);
  const found = REASONS.find(([pattern]) => pattern.test(code));
  return found === undefined ? null : `${found[1]} (${describeError(error)})`;
};
