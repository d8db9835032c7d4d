import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { readTextFile } from "../terminal/light-files.ts";
import { findWrongSetting, findWrongVariable, isOn, nameVariable, splitList } from "./settings.ts";
import { findKeyLine, parseToml, type Table } from "./toml.ts";

export type Config = Table;

export const locateHome = (): string => process.env["HOME"] || process.getBuiltinModule("node:os").homedir();

/** A file of the user's own settings, by its name. */
export const locateOwn = (name: string): string => `${locateHome()}/.nexus/${name}`;

export const locateConfig = (): string => locateOwn("config.toml");

const parseText = async (path: string, text: string): Promise<Result<Config, Failure>> => {
  const config = await parseToml(text);
  if (!config.ok) return fail(`${path}${config.error.line}: ${config.error.problem}`);
  const wrong = findWrongSetting(config.value);
  return wrong === null ? config : failUsage(`${path}${findKeyLine(text, wrong.name)}: ${wrong.problem}`);
};

export const parseConfig = async (path: string): Promise<Result<Config, Failure>> => {
  try {
    const text = await readTextFile(path);
    return text === null ? ok({}) : await parseText(path, text);
  } catch (error) {
    return fail(`${path}: ${describeError(error)}`);
  }
};

/** `NEXUS_…` in the environment wins over the file. */
export const readConfig = async (): Promise<Result<Config, Failure>> => {
  const wrong = findWrongVariable();
  return wrong === null ? parseConfig(locateConfig()) : failUsage(wrong);
};

export const readOption = (config: Config, name: string): unknown => process.env[nameVariable(name)] ?? config[name];

export const readListOption = (config: Config, name: string): readonly string[] => {
  const value = readOption(config, name);
  if (typeof value === "string") return splitList(value);
  return Array.isArray(value) ? value.map(String) : [];
};

export const readSwitchOption = (config: Config, name: string, whenAbsent: boolean): boolean => {
  const value = readOption(config, name);
  return value === undefined || value === "" ? whenAbsent : isOn(value);
};
