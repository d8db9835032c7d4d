import { isSharing } from "../../jobs/fields/gpu-kinds.ts";
import { countBooked } from "../booked-gpus.ts";
import { bookLeast } from "../booking/room.ts";
import type { GpuState } from "../gpu-selection.ts";
import { countBatchLeft } from "../limits/batch-limit.ts";
import type { SharedNeed } from "../needs/need-name.ts";
import type { QueueFacts } from "../queue-turns.ts";
import { countUses, findReached, NO_LIMITS, readUse, type UserLimits } from "../user-limits.ts";

/** Whether what its jobs book depends on the GPUs, and a limit on what they book. */
export const isMeasured = (need: SharedNeed, { maxGpus }: UserLimits): boolean => isSharing(need) && maxGpus !== null;

/** Whether a user's jobs with a need wait for a limit, whatever is free, once all have started that can; null where the GPUs have to be known for that, and aren't. */
export const createIsOverLimit = (
  { active, limitsOf = NO_LIMITS }: Pick<QueueFacts, "active" | "limitsOf">,
  gpus: readonly GpuState[] | null,
): ((need: SharedNeed, user: string) => boolean | null) => {
  const uses = countUses(active);
  return (need, user) => {
    const limits = limitsOf(user);
    const use = readUse(uses, user);
    if (countBatchLeft(need.batch ?? null, active) === 0 || findReached(0, limits, use) !== null) return true;
    if (!isMeasured(need, limits)) return findReached(need.numGpus, limits, use) !== null;
    if (gpus === null) return null;
    const booked = countBooked({ ...need, ...bookLeast({ gpus }, { ...need, user }, gpus) });
    return findReached(booked, limits, use) !== null;
  };
};
