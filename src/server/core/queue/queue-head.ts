import { type GpuNeed, type GpuState, listFreeGpus } from "./gpu-selection.ts";
import { countCpuSlots, type QueueFacts } from "./queue-turns.ts";

/** How many jobs of one need could start at most; null where none of them starts or keeps a GPU. */
export type CountStarts = (need: GpuNeed) => number | null;

/** The same text for jobs that ask the same of the machine: of these, those start that come first, and one keeps GPUs at most. */
export const nameNeed = ({ numGpus, requestedGpuIdxs, ignoreBlacklist }: GpuNeed): string =>
  JSON.stringify([numGpus, requestedGpuIdxs.toSorted((a, b) => a - b), numGpus > 0 && ignoreBlacklist]);

/** Of what `nameNeed` wrote. */
export const parseNeed = (name: string): GpuNeed => {
  const [numGpus, requestedGpuIdxs, ignoreBlacklist] = JSON.parse(name) as [number, readonly number[], boolean];
  return { numGpus, requestedGpuIdxs, ignoreBlacklist };
};

/**
 * Which of the queue a decision depends on: of each need the first that this counts, and after them the first that was passed
 * over for too long. A need that can't be met at a job's turn can't be met later in the same decision, as turns only take.
 */
export const createCountStarts =
  (facts: Pick<QueueFacts, "active" | "maxCpuJobs">, gpus: readonly GpuState[]): CountStarts =>
  (need) => {
    const room = need.numGpus === 0 ? countCpuSlots(facts) : listFreeGpus(need, gpus).length;
    return room === 0 ? null : Math.floor(room / Math.max(1, need.numGpus));
  };
