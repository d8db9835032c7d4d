import { rememberEach } from "../../../base/remember-each.ts";
import { isSharing } from "../jobs/fields/gpu-kinds.ts";
import { countLeft, type ShareFacts } from "./agent-share.ts";
import { countLeast } from "./booked-gpus.ts";
import {
  bookHost,
  countHostPlaces,
  createHostRoom,
  type HostPart,
  isNoPart,
  NO_HOST_RULES,
} from "./booking/host-part.ts";
import { countRoom } from "./gpu-room.ts";
import { type GpuNeed, type GpuState, listFreeGpus, listOpenGpus } from "./gpu-selection.ts";
import { countBatchLeft } from "./limits/batch-limit.ts";
import type { SharedNeed } from "./needs/need-name.ts";
import { countCpuSlots, type QueueFacts } from "./queue-turns.ts";
import { countStartsLeft, countUses, isLimited, NO_LIMITS, readUse } from "./user-limits.ts";

/** How many jobs of one need could start at most; null where none of them starts or keeps a GPU. */
export type CountStarts = (need: SharedNeed) => number | null;

/** Of one need of one user. */
export type CountStartsOf = (need: SharedNeed, user: string) => number | null;

const countPlaces = (need: GpuNeed, gpus: readonly GpuState[]): number =>
  listFreeGpus(need, gpus).reduce(
    (count, gpu) => count + (isSharing(need) ? Math.floor(countRoom(gpu) / (need.vramMib ?? 1)) : 1),
    0,
  );

const isShut = (
  need: GpuNeed,
  part: HostPart,
  { gpus, cpuSlots }: Readonly<{ gpus: readonly GpuState[]; cpuSlots: number }>,
): boolean => (need.numGpus === 0 ? cpuSlots === 0 : isNoPart(part) && listOpenGpus(need, gpus).length === 0);

/**
 * Which of the queue a decision depends on: of each need the first that this counts, and after them the first that was passed
 * over for too long. A need that can't be met at a job's turn can't be met later in the same decision, as turns only take.
 */
export const createCountStarts = (
  facts: Pick<QueueFacts, "active" | "maxCpuJobs" | "host"> & ShareFacts,
  gpus: readonly GpuState[],
): CountStarts => {
  const room = createHostRoom(facts.host ?? NO_HOST_RULES, gpus.length, facts.active);
  return rememberEach((need) => {
    const left = need.share === null ? Number.POSITIVE_INFINITY : countLeft(need.share, facts);
    const ofBatch = countBatchLeft(need.batch ?? null, facts.active);
    const part = bookHost(room, { ...need, bookedGpus: countLeast(need, gpus) });
    const isOver = Math.min(left, ofBatch) === 0;
    if (isOver || isShut(need, part, { gpus, cpuSlots: countCpuSlots(facts) })) return null;
    const places = need.numGpus === 0 ? countCpuSlots(facts) : countPlaces(need, gpus);
    const starts = Math.floor(Math.min(places, left) / Math.max(1, need.numGpus));
    return Math.min(starts, ofBatch, countHostPlaces(part, room.free));
  });
};

/** The same within the limits of each user; null where those let none start. */
export const limitStarts = (
  count: CountStarts,
  { active, limitsOf = NO_LIMITS }: Pick<QueueFacts, "active" | "limitsOf">,
  gpus: readonly GpuState[],
): CountStartsOf => {
  const uses = countUses(active);
  const isReserved = gpus.some(({ reserves = [] }) => reserves.length > 0);
  const readLeast = rememberEach((need: SharedNeed) => countLeast(need, gpus));
  return (need, user) => {
    const limits = limitsOf(user);
    const asked = isReserved ? { ...need, user } : need;
    if (!isLimited(limits)) return count(asked);
    const left = countStartsLeft(readLeast(need), limits, readUse(uses, user));
    const starts = left === 0 ? null : count(asked);
    return starts === null ? null : Math.min(starts, left);
  };
};
