import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import { readTextFile } from "../terminal/light-files.ts";
import { findWrongSetting, findWrongVariable, isOn, nameVariable, splitList } from "./settings.ts";

export type Config = Readonly<Record<string, unknown>>;

export const locateHome = (): string => process.env["HOME"] || process.getBuiltinModule("node:os").homedir();

/** A file of the user's own settings, by its name. */
export const locateOwn = (name: string): string => `${locateHome()}/.nexus/${name}`;

export const locateConfig = (): string => locateOwn("config.toml");

const findLine = (text: string, name: string): string => {
  const index = text.split("\n").findIndex((line) => new RegExp(`^\\s*["']?${name}["']?\\s*=`).test(line));
  return index === -1 ? "" : `, line ${index + 1}`;
};

const parseText = async (path: string, text: string): Promise<Result<Config, Failure>> => {
  const { parse, TomlError } = await import("smol-toml");
  try {
    const config = parse(text);
    const wrong = findWrongSetting(config);
    return wrong === null ? ok(config) : failUsage(`${path}${findLine(text, wrong.name)}: ${wrong.problem}`);
  } catch (error) {
    const line = error instanceof TomlError ? `, line ${error.line}` : "";
    const problem = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return fail(`${path}${line}: ${problem}`);
  }
};

/** The parser is loaded only where there is a file. */
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
