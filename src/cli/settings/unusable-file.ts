import { describeError } from "../../base/describe-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  EROFS: "can't be written, as its file system is read-only: set HOME to a folder that you can write to",
  ENOSPC: "can't be written, as the disk is full: make room, or set HOME to a folder elsewhere",
  EDQUOT: "can't be written, as your quota is used up: make room, or set HOME to a folder elsewhere",
  EACCES: "can't be opened, as you may not: see whose it is with ls -ld, or set HOME to a folder of your own",
  EPERM: "can't be changed, as you may not: see whose it is with ls -ld, or set HOME to a folder of your own",
};

const readText = (error: object, name: string): string =>
  name in error ? String((error as Readonly<Record<string, unknown>>)[name]) : "";

/** What is wrong with a file that can't be written or opened, and what to do; null for any other failure. */
export const explainUnusable = (error: unknown, path?: string): string | null => {
  if (!(error instanceof Error)) return null;
  const reason = REASONS[readText(error, "code")];
  return reason === undefined ? null : `${path ?? (readText(error, "path") || "a file")} ${reason}`;
};

/** Why a file could not be written. */
export const describeUnwritten = (error: unknown, path: string): string =>
  explainUnusable(error, path) ?? `${path} can't be written: ${describeError(error)}`;
