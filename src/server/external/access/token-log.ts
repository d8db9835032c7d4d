import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";

const PRIVATE = 0o600;

const readUserName = (): string => {
  try {
    return execFileSync("id", ["-un"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return `uid ${process.getuid?.()}`;
  }
};

/** Who is at the keyboard, also behind `sudo`. */
export const nameOperator = (): string => process.env["SUDO_USER"] || readUserName();

/** Adds a line to `tokens.log` of the folder: verbs change tokens without the server, so its log can't tell of it. */
export const noteTokenChange = (
  serverDir: string,
  change: Readonly<Record<string, unknown>>,
): Result<void, Problem> => {
  const path = join(serverDir, "tokens.log");
  try {
    const line = JSON.stringify({ time: new Date().toISOString(), ...change });
    appendFileSync(path, `${line}\n`, { mode: PRIVATE });
    return ok(undefined);
  } catch (error) {
    return err({ message: `${path} can't be written: ${describeError(error)}` });
  }
};
