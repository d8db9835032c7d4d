import { readlinkSync, rmSync, symlinkSync } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";

const POLL_MS = 30;
const PATIENCE_MS = 120_000;

const tryTake = (path: string): boolean => {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch (error) {
    if (readErrorCode(error) === "EEXIST") return false;
    throw error;
  }
};

const readHolder = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
};

const isAlive = (pid: string): boolean => {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
};

const take = async (path: string, onWait: (pid: string) => void): Promise<Result<void, Failure>> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (let isTold = false; !tryTake(path); ) {
    const holder = readHolder(path);
    if (holder === "") continue;
    if (!isAlive(holder)) rmSync(path, { force: true });
    else if (performance.now() > deadline) return fail(`process ${holder} holds ${path} and does not end`);
    else if (!isTold) onWait(holder);
    isTold = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return ok(undefined);
};

/** One process at a time; a link that names its process is the lock, so it is there whole, and a dead one's does not hold. */
export const holdLock = async <Value>(
  path: string,
  onWait: (pid: string) => void,
  work: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> => {
  const taken = await take(path, onWait);
  if (!taken.ok) return taken;
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
};
