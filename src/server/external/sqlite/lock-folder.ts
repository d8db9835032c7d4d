import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";

export type FolderLock = Readonly<{ release: () => void }>;

const PRIVATE = 0o600;

/** The file that is there while a server has the folder, with its pid. */
export const locatePid = (serverDir: string): string => join(serverDir, "server.pid");
const locateLock = (serverDir: string): string => join(serverDir, "server.lock");

const hasOpen = (pid: number, path: string): boolean => {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((name) => readlinkSync(join(folder, name)) === path);
};

/** The process that has the folder; null where none does, also if another process got the number of one that died. */
export const findHolder = (serverDir: string): number | null => {
  try {
    const pid = Number(readFileSync(locatePid(serverDir), "utf8"));
    return hasOpen(pid, realpathSync(locateLock(serverDir))) ? pid : null;
  } catch {
    return null;
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

const explainRefusal = (error: unknown, serverDir: string): string => {
  if (!readErrorCode(error).startsWith("SQLITE_BUSY"))
    return `${locateLock(serverDir)} can't be locked: ${describeError(error)}; make room, or name a folder of yours as server_dir`;
  const pid = findHolder(serverDir);
  const holder = pid === null ? "" : ` (pid ${pid})`;
  return `${serverDir} is in use by another nexus-server${holder}: stop that one, or choose another folder`;
};

/**
 * Takes the folder with a transaction that is never ended, on a database of its own: the kernel drops that lock with the
 * process, however it ends, and no child inherits it. The pid file only tells whom to name.
 */
export const lockFolder = (serverDir: string): Result<FolderLock, Problem> => {
  const pidPath = locatePid(serverDir);
  try {
    const lock = beginExclusive(locateLock(serverDir));
    tryTo(() => writeFileSync(pidPath, `${process.pid}\n`));
    const release = (): void => {
      tryTo(() => rmSync(pidPath, { force: true }));
      lock.close();
    };
    return ok({ release });
  } catch (error) {
    return err({ message: explainRefusal(error, serverDir) });
  }
};
