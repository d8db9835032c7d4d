import type { QueuedJob } from "../../jobs/job.ts";
import { isDiskLow } from "../../machine/disk-room.ts";
import { hasSpent } from "../agent-share.ts";
import { findDrain, NO_DRAINS } from "../drain.ts";
import { countRoom, hasOthers, isShareable } from "../gpu-room.ts";
import type { GpuState } from "../gpu-selection.ts";
import type { SharedNeed } from "../needs/need-name.ts";
import { createIsPassedOver } from "../patience/passed-over.ts";
import type { QueueFacts } from "../queue-turns.ts";

/** Between these times (Unix seconds) nothing starts while the machine looks like `sight` and nothing is written. */
export type Quiet = Readonly<{ from: number; until: number; sight: string }>;

const lookAt = (gpu: GpuState) => [
  gpu.index,
  gpu.name,
  gpu.memoryTotal,
  gpu.isBlacklisted,
  gpu.fault,
  gpu.doubt,
  hasOthers(gpu),
  hasOthers({ ...gpu, unseenUse: null }),
  gpu.sharesWithOthers ?? false,
  gpu.tenants.map(({ id }) => id),
  isShareable(gpu) ? countRoom(gpu) : null,
  (gpu.reserves ?? []).map(({ reservation, leadS }) => [reservation.id, leadS <= 0]),
];

/** All of the machine on which a decision depends, the same text for what is the same to it. */
export const describeSight = (
  { disk, trouble }: Pick<QueueFacts, "disk" | "trouble">,
  gpus: readonly GpuState[],
): string => JSON.stringify([isDiskLow(disk ?? null), trouble ?? null, gpus.map(lookAt)]);

type Moment = Readonly<{ needs: readonly SharedNeed[]; gpus: readonly GpuState[]; now: number }>;

const asksMachine = ({ numGpus, cpus = null, memoryMib = null }: QueuedJob): boolean =>
  numGpus > 0 || (cpus ?? memoryMib) !== null;

const mayKeep = (facts: QueueFacts, now: number): boolean => {
  const isPassedOver = createIsPassedOver(facts, now);
  return facts.queued.some((job) => asksMachine(job) && isPassedOver(job));
};

const isTimed = (facts: QueueFacts, { needs, gpus, now }: Moment): boolean => {
  const shares = needs.flatMap(({ share }) => (share === null ? [] : [share]));
  const isReserved = gpus.some(({ reserves = [] }) => reserves.length > 0);
  const isMoving = (facts.useOf ?? null) !== null || isReserved || shares.length > 0;
  return (isMoving && mayKeep(facts, now)) || shares.some((share) => hasSpent(share, facts));
};

/**
 * After a decision by which nothing starts: until when none over the same queue, machine and settings starts anything either,
 * as time alone only makes more of it be kept for more jobs; null where it may do more. `needs` are those of all jobs that are ready.
 */
export const findQuietEnd = (facts: QueueFacts, moment: Moment): number | null =>
  isTimed(facts, moment) ? null : (findDrain(facts.drains ?? NO_DRAINS, moment.now)?.until ?? Number.POSITIVE_INFINITY);

export const isQuiet = (quiet: Quiet | undefined, sight: string, now: number): boolean =>
  quiet !== undefined && quiet.sight === sight && now >= quiet.from && now < quiet.until;
