import { DISK_PERCENT } from "../../../wire/limits.ts";
import { scoreHealth } from "../../core/machine/health.ts";
import { FIRST_WATCH, type HealthNews, watchHealth } from "../../core/machine/health-watch.ts";
import type { HealthFigures, HostStats } from "../../core/machine/host.ts";
import { describeMachine } from "../../core/notices/machine-notice.ts";
import { planNotices } from "../../core/notices/plan-notices.ts";
import type { TaskContext } from "../context.ts";

const describe = ({ disk, network, system }: HealthFigures, score: number): Readonly<Record<string, unknown>> => ({
  score: Math.round(score),
  disk: disk?.place,
  disk_percent_used: disk?.percent_used,
  memory_percent: system?.memory_percent,
  cpu_percent: system?.cpu_percent,
  ping_ms: network?.ping ?? undefined,
});

const tell = async (context: TaskContext, event: HealthNews, figures: string): Promise<void> => {
  const { channels, settings, store, clock, wakes } = context;
  const news = { kind: "machine", event, nodeName: settings.nodeName, figures } as const;
  const notices = planNotices(news, { channels, now: clock(), loadSecrets: () => ({}) });
  if (notices.length === 0) return;
  const written = await store.write(({ outbox }) => outbox.enqueue(notices));
  if (!written.ok) throw new Error(written.error.message);
  wakes.outbox();
};

const isFull = ({ disk }: HealthFigures): boolean => (disk?.percent_used ?? 0) > DISK_PERCENT.full;

/** Returns a task that keeps the figures warm, and logs and tells once when the machine turns unhealthy and once when it recovers. */
export const createHealthWatch = (context: TaskContext, health: HostStats): (() => Promise<number>) => {
  const { log, uptime, settings } = context;
  let watch = FIRST_WATCH;
  return async () => {
    const figures = await health.read(false);
    const { score } = scoreHealth(figures);
    const { watch: next, news } = watchHealth(watch, isFull(figures), uptime());
    if (news !== null) await tell(context, news, describeMachine(score, figures));
    watch = next;
    if (news === "unhealthy") log.warn("machine is unhealthy", describe(figures, score));
    if (news === "recovered") log.info("machine is healthy again", describe(figures, score));
    return settings.refreshRate * 1000;
  };
};
