import { lstat } from "node:fs/promises";
import { ok, type Problem, type Result } from "../base/result.ts";
import { runCommand } from "./run-command.ts";

const LIMITS = { timeoutMs: 600_000, maxOutputBytes: 10_000_000 };

const run = async (...argv: readonly [string, ...string[]]): Promise<Result<string | null, Problem>> => {
  const output = await runCommand(argv, LIMITS);
  return output.ok ? ok(output.value.exitCode === 0 ? null : output.value.stderr) : output;
};

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/**
 * Removing what is not there succeeds; read-only folders are removed too, links are never followed. Rejects if something
 * stays. The runtime's own removal never ends in folders nested deeper than a path may be long.
 */
export const removeTree = async (path: string): Promise<void> => {
  if (!(await isThere(path))) return;
  const first = await run("rm", "-rf", "--", path);
  if (first.ok && first.value === null) return;
  await run("chmod", "-R", "u+rwx", "--", path);
  const second = await run("rm", "-rf", "--", path);
  const problem = second.ok ? second.value : second.error.message;
  if (problem !== null) throw new Error(problem.split("\n")[0]);
};
