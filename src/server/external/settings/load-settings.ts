import { constants, existsSync } from "node:fs";
import { cpus, homedir, hostname } from "node:os";
import { join } from "node:path";
import type { Problem, Result } from "../../../base/result.ts";
import { canAccess } from "../../../tools/can-access.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Raw } from "./field.ts";
import { readSettings } from "./read-settings.ts";
import { listSettingFlags } from "./setting-list.ts";
import { readSettingsFile } from "./settings-file.ts";

const SYSTEM_CONFIG = "/etc/nexus_server/config.toml";

const locateDefaultDir = (env: NodeJS.ProcessEnv): string =>
  join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "nexus-server");

const selectSettings = (values: Raw): Readonly<Record<string, string>> =>
  Object.fromEntries(
    listSettingFlags().flatMap(({ long }) => {
      const value = values[long];
      return typeof value === "string" ? [[long.replaceAll("-", "_"), value]] : [];
    }),
  );

const chooseServerDir = (values: Raw, env: NodeJS.ProcessEnv): string =>
  selectSettings(values)["server_dir"] ?? env["NS_SERVER_DIR"] ?? locateDefaultDir(env);

/** The file of the server folder, or that of the installed server where this user may read it. */
export const locateSettingsFile = (values: Raw): string => {
  const own = join(chooseServerDir(values, process.env), "config.toml");
  return !existsSync(own) && canAccess(SYSTEM_CONFIG, constants.R_OK) ? SYSTEM_CONFIG : own;
};

export const loadSettings = (
  values: Raw,
  path: string = locateSettingsFile(values),
  env: NodeJS.ProcessEnv = process.env,
): Result<Settings, Problem> => {
  const file = readSettingsFile(path);
  if (!file.ok) return file;
  const host = { serverDir: chooseServerDir(values, env), hostname: hostname(), cores: cpus().length };
  return readSettings({ file: file.value, env, flags: selectSettings(values) }, host);
};
