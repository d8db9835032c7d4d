import { rememberText } from "../../base/remember-each.ts";
import { type AgentUse, type CountGpuSeconds, countGpusOf } from "../core/queue/agent-share.ts";
import type { Store } from "../core/store.ts";

const DAY_S = 24 * 60 * 60;

/** Of the 24 hours before `now`, each user read once. */
export const createGpuSeconds = ({ readGpuSeconds }: Pick<Store, "readGpuSeconds">, now: number): CountGpuSeconds =>
  rememberText((user) => readGpuSeconds(user, { since: now - DAY_S, until: now }));

export const readAgentUse = (
  store: Pick<Store, "readGpuSeconds" | "loadActiveJobs">,
  countQueued: (user: string) => number,
  { user, now }: Readonly<{ user: string; now: number }>,
): AgentUse => ({
  gpus: countGpusOf(user, store.loadActiveJobs()),
  queued: countQueued(user),
  gpuSeconds: createGpuSeconds(store, now)(user),
});
