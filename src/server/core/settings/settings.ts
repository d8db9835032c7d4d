import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { type NotifyChannel, parseNotify } from "../notices/channel-settings.ts";
import {
  address,
  EXECUTOR,
  flag,
  LOG_LEVEL,
  type LogLevel,
  list,
  MOCK_GPUS,
  number,
  type Raw,
  readField,
  SOCKET,
  secret,
  text,
} from "./setting-fields.ts";

/**
 * `refreshRate`, `maxPassedOver` and `bodyTimeout` in seconds; `port` 0 takes any free one; `mockGpus` 0 means real GPUs;
 * `retentionGb` in 10⁹ bytes, null for no limit.
 */
export type Settings = Readonly<{
  serverDir: string;
  refreshRate: number;
  port: number;
  host: string;
  nodeName: string;
  mockGpus: number;
  supplementaryGroups: readonly string[];
  apiToken: string | null;
  trustLoopback: boolean;
  socket: string | null;
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
  retentionDays: number;
  retentionGb: number | null;
  speedTestUrl: string | null;
  pingHost: string | null;
}>;

/** What only the machine knows. */
export type HostFacts = Readonly<{ serverDir: string; hostname: string; cores: number }>;

const SECONDS_A_DAY = 86_400;
const MAX_PORT = 65_535;
const MAX_JOBS = 10_000;
const MAX_DAYS = 36_500;
const MAX_GB = 1_000_000;

const readTexts = (raw: Raw, host: HostFacts, mistakes: string[]) => ({
  serverDir: readField(raw, text("server_dir", host.serverDir), mistakes),
  host: readField(raw, text("host", "127.0.0.1"), mistakes),
  nodeName: readField(raw, text("node_name", host.hostname), mistakes),
  externalIp: readField(raw, text("external_ip", null), mistakes),
  sslKeyfile: readField(raw, text("ssl_keyfile", null), mistakes),
  sslCertfile: readField(raw, text("ssl_certfile", null), mistakes),
  supplementaryGroups: readField(raw, list("supplementary_groups"), mistakes),
  executor: readField(raw, EXECUTOR, mistakes),
  nullpointerUrl: readField(raw, address("nullpointer_url", "https://0x0.st"), mistakes),
  twilioUrl: readField(raw, address("twilio_url", "https://api.twilio.com"), mistakes),
  logLevel: readField(raw, LOG_LEVEL, mistakes),
  speedTestUrl: readField(raw, address("speed_test_url", null), mistakes),
  pingHost: readField(raw, text("ping_host", null), mistakes),
});

const readAccess = (raw: Raw, mistakes: string[]) => ({
  apiToken: readField(raw, secret("api_token"), mistakes),
  trustLoopback: readField(raw, flag("trust_loopback", true), mistakes),
  socket: readField(raw, SOCKET, mistakes),
  allowedHosts: readField(raw, list("allowed_hosts"), mistakes),
});

const readNumbers = (raw: Raw, host: HostFacts, mistakes: string[]) => ({
  refreshRate: readField(raw, number("refresh_rate", 3, 0.05, 3600, false), mistakes),
  port: readField(raw, number("port", 54_323, 0, MAX_PORT), mistakes),
  mockGpus: readField(raw, MOCK_GPUS, mistakes),
  maxCpuJobs: readField(raw, number("max_cpu_jobs", host.cores, 0, MAX_JOBS), mistakes),
  retentionDays: readField(raw, number("retention_days", 30, 0, MAX_DAYS, false), mistakes),
  retentionGb: readField(raw, number("retention_gb", null, 0, MAX_GB, false), mistakes),
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
  "trust_loopback",
  "socket",
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
  "retention_days",
  "retention_gb",
  "speed_test_url",
  "ping_host",
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
): Result<Settings, Problem> => {
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
    ...readAccess(raw, mistakes),
    ...readLimits(raw, mistakes),
    notify: notify.value,
  };
  const [mistake] = mistakes;
  return mistake === undefined ? ok(settings) : err({ message: mistake });
};
