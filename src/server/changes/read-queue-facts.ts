import { type HostRules, NO_HOST_RULES } from "../core/queue/booking/host-part.ts";
import type { QueueFacts } from "../core/queue/queue-turns.ts";
import { type LimitsOf, NO_LIMITS } from "../core/queue/user-limits.ts";
import type { Store } from "../core/store.ts";
import { createGpuSeconds } from "./agent-use.ts";

type Context = Readonly<{
  store: Pick<Store, "readDrains" | "readLimited" | "readUseOf" | "loadActiveJobs" | "readGpuSeconds">;
  settings: Readonly<{ maxCpuJobs: number; maxPassedOver: number; host?: HostRules; limitsOf?: LimitsOf }>;
}>;

/** What decides about the queue beside the queue, the machine and its GPUs. */
export const readQueueFacts = (
  { store, settings }: Context,
  now: number,
): Omit<QueueFacts, "queued" | "disk" | "trouble"> => ({
  maxCpuJobs: settings.maxCpuJobs,
  host: settings.host ?? NO_HOST_RULES,
  maxPassedOverS: settings.maxPassedOver,
  drains: store.readDrains(),
  limited: store.readLimited(),
  limitsOf: settings.limitsOf ?? NO_LIMITS,
  useOf: store.readUseOf(now),
  active: store.loadActiveJobs(),
  countGpuSeconds: createGpuSeconds(store, now),
});
