import type { Alarm } from "../../../tools/alarm.ts";
import type { TaskContext } from "../context.ts";

type QueueAlarms = Readonly<{ cpuQueue: Alarm; gpuQueue: Alarm }>;

/** Gives their turns to queued jobs whose time has come, and comes back for the next one, or earlier, as the clock may be set. */
export const openTurns = async (
  { store, clock, settings }: Pick<TaskContext, "store" | "clock" | "settings">,
  { cpuQueue, gpuQueue }: QueueAlarms,
): Promise<number> => {
  const now = clock();
  const { isStale, nextAt } = store.readReadiness(now);
  const longestMs = settings.refreshRate * 1000;
  if (isStale) {
    const opened = await store.write((transaction) => transaction.openTurns(now));
    if (!opened.ok) return longestMs;
    cpuQueue.ring();
    gpuQueue.ring();
  }
  return nextAt === null ? longestMs : Math.min(longestMs, Math.max(1, (nextAt - now) * 1000));
};
