import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ok, type Result } from "../shared/result.ts";
import { fail } from "./failure.ts";
import type { Failure } from "./verb.ts";

export type Config = Readonly<Record<string, unknown>>;

export const locateHome = (): string => process.env["HOME"] || homedir();

/** A file of the user's own settings, by its name. */
export const locateOwn = (name: string): string => join(locateHome(), ".nexus", name);

export const locateConfig = (): string => locateOwn("config.toml");

/** The parser is loaded only where there is a file. */
export const parseConfig = async (path: string): Promise<Result<Config, Failure>> => {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return ok(parse(readFileSync(path, "utf8")));
  } catch (error) {
    const line = error instanceof TomlError ? `, line ${error.line}` : "";
    const problem = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return fail(`${path}${line}: ${problem}`);
  }
};

export const readConfig = async (): Promise<Result<Config, Failure>> => {
  const path = locateConfig();
  return existsSync(path) ? parseConfig(path) : ok({});
};

/** `NEXUS_…` in the environment wins over the file. */
export const readOption = (config: Config, name: string): unknown =>
  process.env[`NEXUS_${name.toUpperCase()}`] ?? config[name];

export const readListOption = (config: Config, name: string): readonly string[] => {
  const value = readOption(config, name);
  if (typeof value === "string") return value.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return Array.isArray(value) ? value.map(String) : [];
};

export const readSwitchOption = (config: Config, name: string, whenAbsent: boolean): boolean => {
  const value = readOption(config, name);
  return value === undefined || value === "" ? whenAbsent : /^(true|yes|on|1)$/i.test(String(value));
};
