import { type AgentUse, type CountGpuSeconds, countGpusOf } from "../core/queue/agent-share.ts";
import type { Store } from "../core/store.ts";

const DAY_S = 24 * 60 * 60;

/** Of the 24 hours before `now`, each user read once. */
export const createGpuSeconds = ({ listGpuUse }: Pick<Store, "listGpuUse">, now: number): CountGpuSeconds => {
  const known = new Map<string, number>();
  const read = (user: string): number => listGpuUse({ since: now - DAY_S, now, user })[0]?.gpuSeconds ?? 0;
  return (user) => {
    const seconds = known.get(user) ?? read(user);
    known.set(user, seconds);
    return seconds;
  };
};

export const readAgentUse = (
  store: Pick<Store, "listGpuUse" | "loadActiveJobs">,
  countQueued: (user: string) => number,
  { user, now }: Readonly<{ user: string; now: number }>,
): AgentUse => ({
  gpus: countGpusOf(user, store.loadActiveJobs()),
  queued: countQueued(user),
  gpuSeconds: createGpuSeconds(store, now)(user),
});
