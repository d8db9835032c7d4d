import { existsSync, readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";

type SettingsFile = Readonly<Record<string, unknown>>;

const describe = (path: string, error: unknown): string =>
  error instanceof TomlError
    ? `${path}, line ${error.line}: ${error.message.split("\n")[0]}`
    : `${path} can't be read: ${describeError(error)}`;

/** A file that is not there is an empty one. */
export const readSettingsFile = (path: string): Result<SettingsFile, Problem> => {
  if (!existsSync(path)) return ok({});
  try {
    return ok(parse(readFileSync(path, "utf8")));
  } catch (error) {
    return err({ message: describe(path, error) });
  }
};
