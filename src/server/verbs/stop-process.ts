import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";

const STOP_LIMIT_MS = 15_000;
const POLL_MS = 20;

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** Asks a server to stop, and waits until it has. */
export const stopProcess = async (pid: number): Promise<Result<void, Failure>> => {
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return fail(`server ${pid} does not stop`);
    await pause(POLL_MS);
  }
  return ok(undefined);
};
