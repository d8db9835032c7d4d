import { spawnSync } from "node:child_process";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { JobHandle } from "../../core/jobs/job.ts";
import { chooseEnvironment } from "./job-terminals.ts";
import { KEYS } from "./keys.ts";
import { isSessionAlive, type ScreenHandle } from "./launch-session.ts";
import { readBootId } from "./process-table.ts";
import { createViewCommands, nameExactly } from "./view-commands.ts";

type Opened = Result<number, Problem>;

const RESTRICT_LIMIT_MS = 10_000;

const restrictKeys = (handle: ScreenHandle): boolean =>
  spawnSync("screen", ["-S", nameExactly(handle), "-X", "eval", ...KEYS], { timeout: RESTRICT_LIMIT_MS }).status === 0;

/** Shows the session in the terminal that this process runs in, until it is left or ends; its keys open nothing else. */
export const openSession = (handle: JobHandle, terminal: string): Opened => {
  if (handle.kind !== "screen" || !isSessionAlive(handle, readBootId()))
    return err({ message: "its terminal is gone" });
  if (!restrictKeys(handle)) return err({ message: "its terminal does not answer" });
  const [program = "", ...args] = createViewCommands().attachCommand(handle);
  try {
    const { status } = spawnSync(program, args, { stdio: "inherit", env: chooseEnvironment(terminal) });
    return ok(status ?? 1);
  } catch (error) {
    return err({ message: describeError(error) });
  }
};
