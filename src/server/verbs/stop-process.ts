import { setTimeout as pause } from "node:timers/promises";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { readProcess } from "../external/screen/processes/process-table.ts";

const STOP_LIMIT_MS = 15_000;
const POLL_MS = 20;

/** Asks a server to stop, and waits until it has. */
export const stopProcess = async (pid: number): Promise<Result<void, Failure>> => {
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (readProcess(pid) !== null) {
    if (performance.now() > deadline) return fail(`server ${pid} does not stop`);
    await pause(POLL_MS);
  }
  return ok(undefined);
};
