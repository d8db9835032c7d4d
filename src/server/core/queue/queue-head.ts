import { type AgentShare, countLeft, type ShareFacts } from "./agent-share.ts";
import { type GpuNeed, type GpuState, listFreeGpus } from "./gpu-selection.ts";
import { countCpuSlots, type QueueFacts } from "./queue-turns.ts";
import { countStartsLeft, countUse, NO_LIMITS } from "./user-limits.ts";

/** With the share of the agent whose jobs alone have this need, null where it is no agent's. */
export type SharedNeed = GpuNeed & Readonly<{ share: AgentShare | null }>;

/** How many jobs of one need could start at most; null where none of them starts or keeps a GPU. */
export type CountStarts = (need: SharedNeed) => number | null;

/** Of one need of one user. */
export type CountStartsOf = (need: SharedNeed, user: string) => number | null;

/** The same text for jobs that ask the same of the machine: of these, those start that come first, and one keeps GPUs at most. */
export const nameNeed = (need: GpuNeed & Partial<Pick<SharedNeed, "share">>): string => {
  const { numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [] } = need;
  const asked = [numGpus, requestedGpuIdxs.toSorted((a, b) => a - b), numGpus > 0 && ignoreBlacklist];
  if (avoidedGpuIdxs.length > 0) return JSON.stringify([...asked, share, avoidedGpuIdxs]);
  return JSON.stringify(share === null ? asked : [...asked, share]);
};

type Need = readonly [number, readonly number[], boolean, (AgentShare | null)?, (readonly number[])?];

/** Of what `nameNeed` wrote. */
export const parseNeed = (name: string): SharedNeed => {
  const [numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = []] = JSON.parse(name) as Need;
  return { numGpus, requestedGpuIdxs, ignoreBlacklist, share, avoidedGpuIdxs };
};

/**
 * Which of the queue a decision depends on: of each need the first that this counts, and after them the first that was passed
 * over for too long. A need that can't be met at a job's turn can't be met later in the same decision, as turns only take.
 */
export const createCountStarts =
  (facts: Pick<QueueFacts, "active" | "maxCpuJobs"> & ShareFacts, gpus: readonly GpuState[]): CountStarts =>
  (need) => {
    const free = need.numGpus === 0 ? countCpuSlots(facts) : listFreeGpus(need, gpus).length;
    const room = need.share === null ? free : Math.min(free, countLeft(need.share, facts));
    return room === 0 ? null : Math.floor(room / Math.max(1, need.numGpus));
  };

/** The same within the limits of each user; null where those let none start. */
export const limitStarts =
  (count: CountStarts, { active, limitsOf = NO_LIMITS }: Pick<QueueFacts, "active" | "limitsOf">): CountStartsOf =>
  (need, user) => {
    const left = countStartsLeft(need.numGpus, limitsOf(user), countUse(user, active));
    const starts = left === 0 ? null : count(need);
    return starts === null ? null : Math.min(starts, left);
  };
