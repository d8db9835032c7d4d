import { INTEGRATION_NAMES, NOTIFICATION_NAMES } from "../shared/job-names.ts";
import { type Config, readListOption, readOption, readSwitchOption } from "./config-file.ts";

/** A key of `config.toml`. `choices` are what a list may hold. */
export type Setting = Readonly<{
  name: string;
  kind: "text" | "list" | "switch";
  choices?: readonly string[];
  fallback: string | boolean | readonly string[];
}>;

export const SETTINGS: readonly Setting[] = [
  { name: "user", kind: "text", fallback: "" },
  { name: "default_target", kind: "text", fallback: "local" },
  { name: "default_integrations", kind: "list", choices: INTEGRATION_NAMES, fallback: [] },
  { name: "default_notifications", kind: "list", choices: NOTIFICATION_NAMES, fallback: [] },
  { name: "enable_git_tag_push", kind: "switch", fallback: false },
  { name: "autostart", kind: "switch", fallback: true },
];

const nameVariable = (name: string): string => `NEXUS_${name.toUpperCase()}`;

/** What holds now, and whether the environment, the file or nobody said so. */
export const readSetting = (
  config: Config,
  { name, kind, fallback }: Setting,
): Readonly<{ value: unknown; from: string }> => {
  const raw = readOption(config, name);
  if (raw === undefined) return { value: fallback, from: "default" };
  const from = process.env[nameVariable(name)] === undefined ? "" : nameVariable(name);
  if (kind === "list") return { value: readListOption(config, name), from };
  return { value: kind === "switch" ? readSwitchOption(config, name, fallback === true) : raw, from };
};

const describeWrong = ({ name, kind, choices = [] }: Setting, value: unknown): string | null => {
  if (kind === "text") return typeof value === "string" ? null : `${name} is a text in quotes`;
  if (kind === "switch") return typeof value === "boolean" ? null : `${name} is true or false`;
  const isRight = Array.isArray(value) && value.every((part) => choices.includes(String(part)));
  return isRight ? null : `${name} is a list of: ${choices.join(", ")}`;
};

/** The first known key with a value that it can't have; unknown keys are the user's own affair. */
export const findWrongSetting = (config: Config): string | null =>
  SETTINGS.map((setting) =>
    config[setting.name] === undefined ? null : describeWrong(setting, config[setting.name]),
  ).find((problem) => problem !== null) ?? null;
