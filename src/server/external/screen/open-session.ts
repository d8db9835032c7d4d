import { spawnSync } from "node:child_process";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { JobHandle } from "../../core/jobs/job.ts";
import { chooseEnvironment } from "./job-terminals.ts";
import { KEYS } from "./keys.ts";
import { isSessionAlive, type ScreenHandle } from "./launch-session.ts";
import { readBootId } from "./processes/process-table.ts";
import { findScreenFolder, nameExactly } from "./screen-folder.ts";
import { createViewCommands } from "./view-commands.ts";

type Opened = Result<number, Problem>;

const RESTRICT_LIMIT_MS = 10_000;

const restrictKeys = (serverDir: string, handle: ScreenHandle): boolean => {
  const env = { ...process.env, ...findScreenFolder(serverDir, handle) };
  const argv = ["-S", nameExactly(handle), "-X", "eval", ...KEYS];
  return spawnSync("screen", argv, { timeout: RESTRICT_LIMIT_MS, env }).status === 0;
};

/** Shows the session in the terminal that this process runs in, until it is left or ends; its keys open nothing else. */
export const openSession = (serverDir: string, handle: JobHandle, terminal: string): Opened => {
  if (handle.kind !== "screen" || !isSessionAlive(handle, readBootId()))
    return err({ message: "its terminal is gone" });
  if (!restrictKeys(serverDir, handle)) return err({ message: "its terminal does not answer" });
  const [program = "", ...args] = createViewCommands(serverDir).attachCommand(handle);
  try {
    const { status } = spawnSync(program, args, { stdio: "inherit", env: chooseEnvironment(terminal) });
    return ok(status ?? 1);
  } catch (error) {
    return err({ message: describeError(error) });
  }
};
