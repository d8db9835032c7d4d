import { scoreHealth } from "../core/health.ts";
import { FIRST_WATCH, watchHealth } from "../core/health-watch.ts";
import type { Clock, HealthFigures, HostStats, Log } from "../core/ports.ts";

type HealthWatch = Readonly<{ health: HostStats; log: Log; uptime: Clock; refreshMs: number }>;

const describe = ({ disk, network, system }: HealthFigures, score: number): Readonly<Record<string, unknown>> => ({
  score: Math.round(score),
  disk: disk?.place,
  disk_percent_used: disk?.percent_used,
  memory_percent: system?.memory_percent,
  cpu_percent: system?.cpu_percent,
  ping_ms: network?.ping ?? undefined,
});

/** Returns a task that keeps the figures warm and logs once when the machine turns unhealthy and once when it recovers. `uptime`: seconds on a clock that nobody sets. */
export const createHealthWatch = ({ health, log, uptime, refreshMs }: HealthWatch): (() => Promise<number>) => {
  let watch = FIRST_WATCH;
  return async () => {
    const figures = await health.read(false);
    const { score, status } = scoreHealth(figures);
    const step = watchHealth(watch, status === "unhealthy", uptime());
    watch = step.watch;
    if (step.news === "unhealthy") log.warn("machine is unhealthy", describe(figures, score));
    if (step.news === "recovered") log.info("machine is healthy again", describe(figures, score));
    return refreshMs;
  };
};
