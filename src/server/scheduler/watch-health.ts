import type { Health } from "../../shared/node.ts";
import { scoreHealth } from "../core/health.ts";
import type { HostStats, Log } from "../core/ports.ts";

type HealthWatch = Readonly<{ health: HostStats; log: Log; refreshMs: number }>;

const describe = (stats: Pick<Health, "disk" | "system">): Readonly<Record<string, unknown>> => ({
  disk_percent_used: stats.disk?.percent_used,
  memory_percent: stats.system?.memory_percent,
});

/** Returns a task that keeps the figures warm and logs each time that the machine turns unhealthy or recovers. */
export const createHealthWatch = ({ health, log, refreshMs }: HealthWatch): (() => Promise<number>) => {
  let wasUnhealthy = false;
  return async () => {
    const stats = await health.read(false);
    const isUnhealthy = scoreHealth(stats).status === "unhealthy";
    if (isUnhealthy && !wasUnhealthy) log.warn("machine is unhealthy", describe(stats));
    if (!isUnhealthy && wasUnhealthy) log.info("machine is healthy again", describe(stats));
    wasUnhealthy = isUnhealthy;
    return refreshMs;
  };
};
