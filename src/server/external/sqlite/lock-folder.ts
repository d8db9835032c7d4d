import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { readErrorCode } from "./sqlite-error.ts";

export type FolderLock = Readonly<{ release: () => void }>;

const PRIVATE = 0o600;

const readHolder = (pidPath: string): string => {
  try {
    const pid = Number(readFileSync(pidPath, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? ` (pid ${pid})` : "";
  } catch {
    return "";
  }
};

/** A transaction of which there can be one at a time, on a database that has nothing in it; closing it ends it. Throws SQLITE_BUSY. */
export const beginExclusive = (path: string): Database => {
  if (!existsSync(path)) closeSync(openSync(path, "a", PRIVATE));
  const lock = new Database(path, { readwrite: true, create: true });
  try {
    lock.exec("pragma busy_timeout = 0; begin exclusive");
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
};

const tryTo = (act: () => void): void => {
  try {
    act();
  } catch {
    return;
  }
};

const explainRefusal = (error: unknown, serverDir: string, pidPath: string): string =>
  readErrorCode(error).startsWith("SQLITE_BUSY")
    ? `${serverDir} is in use by another nexus-server${readHolder(pidPath)}: stop that one, or choose another folder`
    : `${join(serverDir, "server.lock")} can't be locked: ${describeError(error)}; make room, or name a folder of yours as server_dir`;

/**
 * Takes the folder with a transaction that is never ended, on a database of its own: the kernel drops that lock with the
 * process, however it ends, and no child inherits it. The pid file only tells whom to name.
 */
export const lockFolder = (serverDir: string): Result<FolderLock, Problem> => {
  const pidPath = join(serverDir, "server.pid");
  try {
    const lock = beginExclusive(join(serverDir, "server.lock"));
    tryTo(() => writeFileSync(pidPath, `${process.pid}\n`));
    const release = (): void => {
      tryTo(() => rmSync(pidPath, { force: true }));
      lock.close();
    };
    return ok({ release });
  } catch (error) {
    return err({ message: explainRefusal(error, serverDir, pidPath) });
  }
};
