import { constants, existsSync } from "node:fs";
import { cpus, homedir, hostname, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Problem, Result } from "../../../base/result.ts";
import { canAccess } from "../../../tools/can-access.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Raw } from "./field.ts";
import { type HostFacts, readSettings } from "./read-settings.ts";
import { listSettingFlags } from "./setting-list.ts";
import { readSettingsFile } from "./settings-file.ts";

const SYSTEM_CONFIG = "/etc/nexus_server/config.toml";
const SYSTEM_DIR = "/var/lib/nexus-server";

const locateDefaultDir = (env: NodeJS.ProcessEnv): string =>
  join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "nexus-server");

const selectSettings = (values: Raw): Readonly<Record<string, string>> =>
  Object.fromEntries(
    listSettingFlags().flatMap(({ long }) => {
      const value = values[long];
      return typeof value === "string" ? [[long.replaceAll("-", "_"), value]] : [];
    }),
  );

const findNamedDir = (values: Raw, env: NodeJS.ProcessEnv): string | undefined =>
  selectSettings(values)["server_dir"] ?? env["NS_SERVER_DIR"];

const chooseServerDir = (values: Raw, env: NodeJS.ProcessEnv): string =>
  findNamedDir(values, env) ?? locateDefaultDir(env);

const isOfInstalled = (serverDir: string): boolean => {
  const file = readSettingsFile(SYSTEM_CONFIG);
  return !file.ok || resolve(serverDir) === resolve(String(file.value["server_dir"] ?? SYSTEM_DIR));
};

/** The file of the server folder, or that of the installed server where this user may read it and named no other folder. */
export const locateSettingsFile = (values: Raw): string => {
  const own = join(chooseServerDir(values, process.env), "config.toml");
  if (existsSync(own) || !canAccess(SYSTEM_CONFIG, constants.R_OK)) return own;
  const named = findNamedDir(values, process.env);
  return named === undefined || isOfInstalled(named) ? SYSTEM_CONFIG : own;
};

const readHost = (): Pick<HostFacts, "hostname" | "cores" | "memoryBytes"> => ({
  hostname: hostname(),
  cores: cpus().length,
  memoryBytes: totalmem(),
});

export const loadSettings = (
  values: Raw,
  path: string = locateSettingsFile(values),
  env: NodeJS.ProcessEnv = process.env,
): Result<Settings, Problem> => {
  const file = readSettingsFile(path);
  if (!file.ok) return file;
  const host = { serverDir: chooseServerDir(values, env), ...readHost() };
  return readSettings({ file: file.value, env, flags: selectSettings(values) }, host);
};
