import { existsSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "smol-toml";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { replaceFile } from "../../../tools/replace-file.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { readSettings } from "../settings/read-settings.ts";
import { readSettingsFile } from "../settings/settings-file.ts";

type Values = Readonly<Record<string, unknown>>;

/** `written`: the file that they are in now; `left`: of which keys another value holds in the file that was there. */
export type TakenSettings = Readonly<{ path: string; isWritten: boolean; left: readonly string[] }>;

const PRIVATE = 0o600;
const TAKEN = ["port", "node_name", "external_ip", "api_token", "refresh_rate", "supplementary_groups"] as const;
const TLS = ["ssl_keyfile", "ssl_certfile"] as const;
const EVERYWHERE = "0.0.0.0";

const select = (file: Values, names: readonly string[]): Values =>
  Object.fromEntries(names.flatMap((name) => (file[name] === undefined ? [] : [[name, file[name]]])));

const isReadable = (path: unknown): boolean => typeof path === "string" && existsSync(path);

const translate = (file: Values): Values => ({
  ...select(file, TAKEN),
  ...(file["mock_gpus"] === true ? { mock_gpus: true } : {}),
  ...(TLS.every((name) => isReadable(file[name])) ? { host: EVERYWHERE, ...select(file, TLS) } : {}),
});

const check = (values: Values, path: string, serverDir: string): Result<Settings, Problem> => {
  const checked = readSettings(
    { file: values, env: {}, flags: {} },
    { serverDir, hostname: hostname(), cores: 1, memoryBytes: 0 },
  );
  return checked.ok ? checked : err({ message: `${path}: ${checked.error.message}` });
};

const readEarlierSettings = (folder: string): Result<Values, Problem> => {
  const path = join(folder, "config.toml");
  const file = readSettingsFile(path);
  if (!file.ok) return file;
  const values = translate(file.value);
  const checked = check(values, path, folder);
  return checked.ok ? ok(values) : checked;
};

/** `config` is the text of a configuration, `settings` what it says. */
export type AddedSettings = Readonly<{ config: string; settings: Settings }>;

/** A configuration with the settings of an earlier installation in the place of its own. */
export const addEarlierSettings = (folder: string, configuration: string): Result<AddedSettings, Problem> => {
  const values = readEarlierSettings(folder);
  if (!values.ok) return values;
  const all = { ...parse(configuration), ...values.value };
  const settings = check(all, folder, folder);
  return settings.ok ? ok({ config: `${stringify(all)}\n`, settings: settings.value }) : settings;
};

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const isSameFile = (a: string, b: string): boolean =>
  existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);

/** Writes them where there is no file of settings yet; one that is there stays as it is. */
export const takeSettings = (folder: string, path: string): Result<TakenSettings | null, Problem> => {
  const values = readEarlierSettings(folder);
  if (!values.ok) return values;
  if (Object.keys(values.value).length === 0 || isSameFile(path, join(folder, "config.toml"))) return ok(null);
  const own = readSettingsFile(path);
  if (!own.ok) return own;
  if (existsSync(path)) {
    const left = Object.keys(values.value).filter((name) => !isSame(own.value[name], values.value[name]));
    return ok({ path, isWritten: false, left });
  }
  replaceFile(path, `${stringify(values.value)}\n`, PRIVATE);
  return ok({ path, isWritten: true, left: [] });
};
