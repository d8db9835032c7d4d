import { err, ok, type Result } from "../../shared/result.ts";
import { type NotifyChannel, parseNotify } from "./notify-settings.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** `refreshRate`, `maxPassedOver` and `bodyTimeout` in seconds; `port` 0 takes any free one; `mockGpus` 0 means real GPUs. */
export type Settings = Readonly<{
  serverDir: string;
  refreshRate: number;
  port: number;
  host: string;
  nodeName: string;
  mockGpus: number;
  supplementaryGroups: readonly string[];
  apiToken: string | null;
  externalIp: string | null;
  allowedHosts: readonly string[];
  sslKeyfile: string | null;
  sslCertfile: string | null;
  maxCpuJobs: number;
  maxPassedOver: number;
  maxRequests: number;
  maxFollowers: number;
  maxFollowersPerAddress: number;
  maxUploads: number;
  bodyTimeout: number;
  executor: "screen";
  logLevel: LogLevel;
  nullpointerUrl: string;
  twilioUrl: string;
  notify: readonly NotifyChannel[];
}>;

export type ConfigError = Readonly<{ message: string }>;

/** What only the machine knows. */
export type HostFacts = Readonly<{ serverDir: string; hostname: string; cores: number }>;

type Raw = Readonly<Record<string, unknown>>;
type Parse<Value> = (raw: unknown) => Value | undefined;
type Field<Value> = Readonly<{ name: string; parse: Parse<Value>; allowed: string; fallback: Value }>;

const DEFAULT_MOCK_GPUS = 2;
const MAX_MOCK_GPUS = 64;

const parseText: Parse<string> = (raw) => (typeof raw === "string" && raw.trim() !== "" ? raw : undefined);

const parseNumber =
  (min: number, max: number, isWhole: boolean): Parse<number> =>
  (raw) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
    if (typeof value !== "number" || !(value >= min && value <= max)) return undefined;
    return isWhole && !Number.isInteger(value) ? undefined : value;
  };

const parseList: Parse<readonly string[]> = (raw) => {
  if (typeof raw === "string") return raw.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return Array.isArray(raw) && raw.every((part) => typeof part === "string") ? raw : undefined;
};

const parseMockGpus: Parse<number> = (raw) => {
  if (raw === true || raw === "true" || raw === "") return DEFAULT_MOCK_GPUS;
  if (raw === false || raw === "false") return 0;
  return parseNumber(0, MAX_MOCK_GPUS, true)(raw);
};

const parseExecutor: Parse<"screen"> = (raw) => (raw === "screen" ? raw : undefined);

const parseLogLevel: Parse<LogLevel> = (raw) => LOG_LEVELS.find((level) => level === raw);

const describe = (raw: unknown): string => (typeof raw === "string" ? `"${raw}"` : JSON.stringify(raw));

const readField = <Value>(raw: Raw, field: Field<Value>, mistakes: string[]): Value => {
  const value = raw[field.name];
  if (value === undefined || value === null) return field.fallback;
  const parsed = field.parse(value);
  if (parsed !== undefined) return parsed;
  mistakes.push(`${field.name} = ${describe(value)} is not allowed: it must be ${field.allowed}`);
  return field.fallback;
};

const text = <Fallback extends string | null>(name: string, fallback: Fallback): Field<string | Fallback> => ({
  name,
  parse: parseText,
  allowed: "a text that is not empty",
  fallback,
});

const parseAddress: Parse<string> = (raw) => {
  const address = parseText(raw);
  return address !== undefined && /^https?:\/\/[^\s/]+/.test(address) ? address.replace(/\/+$/, "") : undefined;
};

const address = (name: string, fallback: string): Field<string> => ({
  name,
  parse: parseAddress,
  allowed: "an address that begins with https:// or http://",
  fallback,
});

const list = (name: string): Field<readonly string[]> => ({
  name,
  parse: parseList,
  allowed: "a list of texts",
  fallback: [],
});

const number = (name: string, fallback: number, min: number, max: number, isWhole = true): Field<number> => ({
  name,
  parse: parseNumber(min, max, isWhole),
  allowed: `a ${isWhole ? "whole number" : "number"} from ${min} to ${max}`,
  fallback,
});

const MOCK_GPUS: Field<number> = {
  name: "mock_gpus",
  parse: parseMockGpus,
  allowed: `true, false or a whole number from 0 to ${MAX_MOCK_GPUS}`,
  fallback: 0,
};

const EXECUTOR: Field<"screen"> = {
  name: "executor",
  parse: parseExecutor,
  allowed: `"screen"`,
  fallback: "screen",
};

const LOG_LEVEL: Field<LogLevel> = {
  name: "log_level",
  parse: parseLogLevel,
  allowed: `one of ${LOG_LEVELS.join(", ")}`,
  fallback: "info",
};

const SECONDS_A_DAY = 86_400;
const MAX_PORT = 65_535;
const MAX_JOBS = 10_000;

const readTexts = (raw: Raw, host: HostFacts, mistakes: string[]) => ({
  serverDir: readField(raw, text("server_dir", host.serverDir), mistakes),
  host: readField(raw, text("host", "127.0.0.1"), mistakes),
  nodeName: readField(raw, text("node_name", host.hostname), mistakes),
  apiToken: readField(raw, text("api_token", null), mistakes),
  externalIp: readField(raw, text("external_ip", null), mistakes),
  sslKeyfile: readField(raw, text("ssl_keyfile", null), mistakes),
  sslCertfile: readField(raw, text("ssl_certfile", null), mistakes),
  supplementaryGroups: readField(raw, list("supplementary_groups"), mistakes),
  allowedHosts: readField(raw, list("allowed_hosts"), mistakes),
  executor: readField(raw, EXECUTOR, mistakes),
  nullpointerUrl: readField(raw, address("nullpointer_url", "https://0x0.st"), mistakes),
  twilioUrl: readField(raw, address("twilio_url", "https://api.twilio.com"), mistakes),
  logLevel: readField(raw, LOG_LEVEL, mistakes),
});

const readNumbers = (raw: Raw, host: HostFacts, mistakes: string[]) => ({
  refreshRate: readField(raw, number("refresh_rate", 3, 0.05, 3600, false), mistakes),
  port: readField(raw, number("port", 54_323, 0, MAX_PORT), mistakes),
  mockGpus: readField(raw, MOCK_GPUS, mistakes),
  maxCpuJobs: readField(raw, number("max_cpu_jobs", host.cores, 0, MAX_JOBS), mistakes),
  maxPassedOver: readField(raw, number("max_passed_over", 1800, 0, 365 * SECONDS_A_DAY, false), mistakes),
});

const readLimits = (raw: Raw, mistakes: string[]) => ({
  maxRequests: readField(raw, number("max_requests", 256, 1, MAX_JOBS), mistakes),
  maxFollowers: readField(raw, number("max_followers", 512, 0, MAX_JOBS), mistakes),
  maxFollowersPerAddress: readField(raw, number("max_followers_per_address", 256, 0, MAX_JOBS), mistakes),
  maxUploads: readField(raw, number("max_uploads", 32, 1, MAX_JOBS), mistakes),
  bodyTimeout: readField(raw, number("body_timeout", 30, 0.1, 3600, false), mistakes),
});

const KNOWN = [
  "server_dir",
  "refresh_rate",
  "port",
  "host",
  "node_name",
  "mock_gpus",
  "supplementary_groups",
  "api_token",
  "external_ip",
  "allowed_hosts",
  "ssl_keyfile",
  "ssl_certfile",
  "max_cpu_jobs",
  "max_passed_over",
  "max_requests",
  "max_followers",
  "max_followers_per_address",
  "max_uploads",
  "body_timeout",
  "executor",
  "nullpointer_url",
  "twilio_url",
  "log_level",
] as const;

const NOTIFY = "notify";

const readEnvironment = (env: Readonly<Record<string, string | undefined>>): Raw =>
  Object.fromEntries(
    KNOWN.flatMap((name) => {
      const value = env[`NS_${name.toUpperCase()}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );

const findUnknown = (raw: Raw): string | undefined =>
  Object.keys(raw).find((key) => key !== NOTIFY && !KNOWN.some((name) => name === key));

/** Flags win over `NS_…` variables, these over the file, that over the defaults. The first mistake is reported. */
export const readSettings = (
  sources: Readonly<{ file: Raw; env: Readonly<Record<string, string | undefined>>; flags: Raw }>,
  host: HostFacts,
): Result<Settings, ConfigError> => {
  const unknown = findUnknown(sources.file);
  if (unknown !== undefined) {
    return err({ message: `${unknown} is not a setting; the settings are: ${[...KNOWN, NOTIFY].join(", ")}` });
  }
  const notify = parseNotify(sources.file[NOTIFY] ?? {});
  if (!notify.ok) return notify;
  const raw = { ...sources.file, ...readEnvironment(sources.env), ...sources.flags };
  const mistakes: string[] = [];
  const settings = {
    ...readTexts(raw, host, mistakes),
    ...readNumbers(raw, host, mistakes),
    ...readLimits(raw, mistakes),
    notify: notify.value,
  };
  const [mistake] = mistakes;
  return mistake === undefined ? ok(settings) : err({ message: mistake });
};
