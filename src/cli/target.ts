import { ok, type Result } from "../shared/result.ts";
import { type Config, readConfig, readOption, readSwitchOption } from "./config-file.ts";
import { fail, failUsage } from "./failure.ts";
import { readSwitch, readText } from "./flag-values.ts";
import type { Failure, FlagValues } from "./verb.ts";

export type Target = Readonly<{
  name: string;
  baseUrl: string;
  token: string | null;
  autostart: boolean;
  config: Config;
}>;

const LOCAL = "local";
const LOOPBACK = "127.0.0.1";
const DEFAULT_PORT = "54323";

type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry => typeof value === "object" && value !== null;

const createLocal = (config: Config, flags: FlagValues): Target => ({
  name: LOCAL,
  baseUrl: `http://${LOOPBACK}:${process.env["NS_PORT"] || DEFAULT_PORT}`,
  token: null,
  autostart: !readSwitch(flags, "no-autostart") && readSwitchOption(config, "autostart", true),
  config,
});

const reachWithoutProxy = (): void => {
  const direct = process.env["no_proxy"] ?? process.env["NO_PROXY"] ?? "";
  const hosts = [...direct.split(",").filter((host) => host !== "" && host !== LOOPBACK), LOOPBACK].join(",");
  process.env["no_proxy"] = hosts;
  process.env["NO_PROXY"] = hosts;
};

const createRemote = (name: string, entry: Entry, config: Config): Result<Target, Failure> => {
  const host = entry["host"];
  if (typeof host !== "string" || host === "") return fail(`~/.nexus/config.toml: [targets.${name}] has no host`);
  const protocol = String(entry["protocol"] ?? "https");
  const token = process.env["NEXUS_API_TOKEN"] ?? entry["api_token"];
  return ok({
    name,
    baseUrl: `${protocol}://${host}:${String(entry["port"] ?? DEFAULT_PORT)}`,
    token: typeof token === "string" ? token : null,
    autostart: false,
    config,
  });
};

/** `-t`, then `NEXUS_TARGET`, then the file's default, then the local server. */
export const resolveTarget = async (flags: FlagValues): Promise<Result<Target, Failure>> => {
  const config = await readConfig();
  if (!config.ok) return config;
  const chosen = readText(flags, "target") || process.env["NEXUS_TARGET"] || readOption(config.value, "default_target");
  const name = typeof chosen === "string" && chosen !== "" ? chosen : LOCAL;
  if (name === LOCAL) {
    reachWithoutProxy();
    return ok(createLocal(config.value, flags));
  }
  const targets = config.value["targets"];
  const entry = isEntry(targets) ? targets[name] : undefined;
  if (isEntry(entry)) return createRemote(name, entry, config.value);
  const known = [LOCAL, ...(isEntry(targets) ? Object.keys(targets) : [])].join(", ");
  return failUsage(`there is no target "${name}"; the targets are: ${known}`);
};
