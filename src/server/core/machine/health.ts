import type { Health, HealthStatus } from "../../../wire/node.ts";

type Stats = Pick<Health, "disk" | "network" | "system">;
type Part = Readonly<{ points: number; of: number }>;

const DISK_POINTS = 40;
const HALF_NETWORK_POINTS = 15;
const HALF_SYSTEM_POINTS = 15;
const GOOD_PING_MS = 50;
const BAD_PING_MS = 200;
const GOOD_DOWNLOAD_MBITS = 100;
const FULL_DISK_PERCENT = 95;
const FULL_DISK_CAP = 30;
const HEALTHY_SCORE = 75;
const LOADED_SCORE = 40;

const clamp = (share: number): number => Math.min(1, Math.max(0, share));

const chooseDiskFactor = (percentUsed: number): number => {
  if (percentUsed > 90) return 0.2;
  return percentUsed > 80 ? 0.5 : 1;
};

const scoreDisk = (disk: Stats["disk"]): Part | null => {
  if (disk === null) return null;
  const free = clamp(1 - disk.percent_used / 100);
  return { points: DISK_POINTS * free * chooseDiskFactor(disk.percent_used), of: DISK_POINTS };
};

const toHalf = (share: number): Part => ({ points: HALF_NETWORK_POINTS * clamp(share), of: HALF_NETWORK_POINTS });

const scorePing = (ping: number | null): Part | null =>
  ping === null ? null : toHalf((BAD_PING_MS - ping) / (BAD_PING_MS - GOOD_PING_MS));

const scoreDownload = (speed: number | null): Part | null =>
  speed === null ? null : toHalf(speed / GOOD_DOWNLOAD_MBITS);

const scoreSystem = (system: Stats["system"]): Part | null => {
  if (system === null) return null;
  const idle = clamp(1 - system.cpu_percent / 100);
  const free = clamp(1 - system.memory_percent / 100);
  return { points: HALF_SYSTEM_POINTS * (idle + free), of: 2 * HALF_SYSTEM_POINTS };
};

const judge = (score: number): HealthStatus => {
  if (score >= HEALTHY_SCORE) return "healthy";
  return score >= LOADED_SCORE ? "under_load" : "unhealthy";
};

/** 0 to 100. A part that is unknown is left out and the others are scaled to the whole; nothing known is 100. */
export const scoreHealth = (stats: Stats): Readonly<{ score: number; status: HealthStatus }> => {
  const { ping = null, download_speed: download = null } = stats.network ?? {};
  const scored = [scoreDisk(stats.disk), scorePing(ping), scoreDownload(download), scoreSystem(stats.system)];
  const parts = scored.filter((part) => part !== null);
  const of = parts.reduce((sum, part) => sum + part.of, 0);
  const points = parts.reduce((sum, part) => sum + part.points, 0);
  const total = of === 0 ? 100 : (points / of) * 100;
  const score = (stats.disk?.percent_used ?? 0) > FULL_DISK_PERCENT ? Math.min(total, FULL_DISK_CAP) : total;
  return { score, status: judge(score) };
};
