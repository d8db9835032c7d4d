import type { NotifyChannel } from "../notices/channel-settings.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * `refreshRate`, `maxPassedOver` and `bodyTimeout` in seconds; `port` 0 takes any free one; `mockGpus` 0 means real GPUs,
 * "auto" those where the machine has one; `driverTimeout` in seconds; `retentionGb` in 10⁹ bytes, null for no limit.
 */
export type Settings = Readonly<{
  serverDir: string;
  refreshRate: number;
  port: number;
  host: string;
  nodeName: string;
  mockGpus: number | "auto";
  driverTimeout: number;
  foreignMemoryMib: number;
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
