import type { Role } from "../access/access.ts";
import type { LoopbackTrust } from "../access/loopback.ts";
import type { NotifyChannel } from "../notices/channel-settings.ts";
import type { OwnLimits } from "../queue/user-limits.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a table `[users.NAME]` says of one local user. */
export type UserSettings = Readonly<{ name: string; role: Role }> & OwnLimits;

/** One GPU to pretend; with `isMig` an instance of one that is cut. */
export type MockGpu = Readonly<{ memoryMib: number; isMig: boolean }>;

/**
 * `refreshRate`, `maxPassedOver`, `bodyTimeout` and `driverTimeout` in seconds; `port` 0 takes any free one, null was not asked
 * for; `maxTime`, `fairHalfLife`, `reserveMargin`, `idleWarn` and `idleEnd` as `2h`; `mockGpus` 0 means real GPUs, "auto" those where the machine has one; `retentionGb` in 10⁹ bytes, null for no limit;
 * `minFreeGb`, `maxLogGb` and `artifactGb` likewise, `memoryGb` in GiB.
 */
export type Settings = Readonly<{
  serverDir: string;
  refreshRate: number;
  port: number | null;
  host: string;
  nodeName: string;
  mockGpus: number | "auto" | readonly MockGpu[];
  driverTimeout: number;
  foreignMemoryMib: number;
  shareWithForeign: boolean;
  vramEnforce: boolean;
  idleWarn: string | null;
  idleEnd: string | null;
  supplementaryGroups: readonly string[];
  apiToken: string | null;
  trustLoopback: LoopbackTrust;
  jobUidMin: number;
  insecureHttp: boolean;
  socket: string | null;
  externalIp: string | null;
  allowedHosts: readonly string[];
  sslKeyfile: string | null;
  sslCertfile: string | null;
  maxCpuJobs: number;
  cpus: number;
  memoryGb: number;
  bookCpus: boolean;
  maxPassedOver: number;
  maxQueued: number;
  order: "fifo" | "fair";
  fairHalfLife: string;
  maxReserved: number;
  reserveMargin: string;
  maxGpus: number | null;
  maxRunning: number | null;
  maxPriority: number | null;
  maxTime: string | null;
  maxQueuedInAll: number;
  maxWaitingGib: number;
  minFreeGb: number;
  maxLogGb: number;
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
  users: readonly UserSettings[];
  retentionDays: number;
  retentionGb: number | null;
  artifactGb: number;
  speedTestUrl: string | null;
  pingHost: string | null;
}>;
