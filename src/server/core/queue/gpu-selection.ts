import { type GpuKinds, isSharing } from "../jobs/fields/gpu-kinds.ts";
import type { ActiveJob, JobId, QueuedJob } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";
import { isChoosy, isOfKind } from "./gpu-kind.ts";
import { countRoom, hasOthers, isShareable, measureUse, type Shared, type Tenant } from "./gpu-room.ts";
import { findReserve, isReservedFor, type Reservable } from "./reservations/reservation.ts";

/** `runningJobId` is the oldest of the jobs on it. */
export type GpuState = Shared & Reservable & Readonly<{ isBlacklisted: boolean; runningJobId: JobId | null }>;

export type GpuNeed = Pick<QueuedJob, "numGpus" | "requestedGpuIdxs" | "ignoreBlacklist" | "avoidedGpuIdxs"> &
  Partial<Pick<QueuedJob, "user" | "timeLimitS">> &
  GpuKinds;

const bookGpu = (gpu: Gpu, { id, vramMib = null }: Pick<ActiveJob, "id"> & GpuKinds): Tenant => ({
  id,
  bookedMib: vramMib,
  usedMib: measureUse(gpu, id),
});

export const describeGpus = (
  gpus: readonly Gpu[],
  activeJobs: readonly ActiveJob[],
  blacklist: ReadonlySet<number>,
): readonly GpuState[] => {
  const byAge = activeJobs.toSorted((a, b) => a.startedAt - b.startedAt || a.createdAt - b.createdAt);
  return gpus.map((gpu) => {
    const jobs = byAge.filter(({ gpuIdxs }) => gpuIdxs.includes(gpu.index));
    const tenants = jobs.map((job) => bookGpu(gpu, job));
    return { ...gpu, isBlacklisted: blacklist.has(gpu.index), tenants, runningJobId: tenants[0]?.id ?? null };
  });
};

/** The same GPUs once a job has some of them. */
export const giveGpus = (
  gpus: readonly GpuState[],
  indexes: readonly number[],
  job: Pick<QueuedJob, "id"> & GpuKinds,
): readonly GpuState[] =>
  gpus.map((gpu) =>
    indexes.includes(gpu.index)
      ? { ...gpu, tenants: [...gpu.tenants, bookGpu(gpu, job)], runningJobId: gpu.runningJobId ?? job.id }
      : gpu,
  );

const isIdle = (gpu: GpuState): boolean => gpu.tenants.length === 0 && gpu.fault === null && !hasOthers(gpu);

const hasFailed = ({ avoidedGpuIdxs = [] }: GpuNeed, { index }: GpuState): boolean => avoidedGpuIdxs.includes(index);

/** What is wrong with a GPU that is not given again to a job that it failed; null where nothing is. */
export const findDistrust = (need: GpuNeed, gpu: GpuState): string | null => (hasFailed(need, gpu) ? gpu.doubt : null);

const rankGpu = (need: GpuNeed, gpu: GpuState): readonly number[] => {
  const { isBlacklisted, doubt, tenants, memoryTotal, index } = gpu;
  const wanted = [Number(hasFailed(need, gpu)), Number(isBlacklisted), Number(!isReservedFor(need, gpu))];
  const size = memoryTotal ?? Number.POSITIVE_INFINITY;
  if (!isSharing(need)) return [...wanted, Number(doubt !== null), isChoosy(need) ? size : 0, index];
  return [...wanted, Number(tenants.length === 0), tenants.length === 0 ? 0 : countRoom(gpu), size, index];
};

const compareRanks = (a: readonly number[], b: readonly number[]): number => {
  const place = a.findIndex((figure, at) => figure !== b[at]);
  return (a[place] ?? 0) < (b[place] ?? 0) ? -1 : Number(place >= 0);
};

const isWanted = (need: GpuNeed, gpu: GpuState): boolean =>
  (need.requestedGpuIdxs.length === 0 || need.requestedGpuIdxs.includes(gpu.index)) &&
  (need.ignoreBlacklist || !gpu.isBlacklisted) &&
  isOfKind(need, gpu);

const putInOrder = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus.length < 2
    ? gpus
    : gpus
        .map((gpu) => ({ gpu, rank: rankGpu(need, gpu) }))
        .toSorted((a, b) => compareRanks(a.rank, b.rank))
        .map(({ gpu }) => gpu);

/** The GPUs that a job asks for, whoever uses them and whatever is wrong with them; the preferred ones first. */
export const listWantedGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  putInOrder(
    need,
    gpus.filter((gpu) => isWanted(need, gpu)),
  );

/** Those of them that can come free: a faulty one is not handed out, however long one waits. */
export const listEligibleGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  listWantedGpus(need, gpus).filter(({ fault }) => fault === null);

const admitsOthers = (need: GpuNeed, gpu: GpuState): boolean => isSharing(need) && gpu.sharesWithOthers === true;

const isOpen = (need: GpuNeed, gpu: GpuState): boolean =>
  gpu.fault === null &&
  isShareable(gpu) &&
  findReserve(need, gpu) === null &&
  (!hasOthers(gpu) || admitsOthers(need, gpu)) &&
  findDistrust(need, gpu) === null;

const isFree = (need: GpuNeed, gpu: GpuState): boolean =>
  isOpen(need, gpu) && (isSharing(need) ? countRoom(gpu) >= (need.vramMib ?? 0) : gpu.tenants.length === 0);

/** Those of which something is free, if not enough; in any order. */
export const listOpenGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus.filter((gpu) => isWanted(need, gpu) && isOpen(need, gpu));

const hasLeavers = (need: GpuNeed, gpu: GpuState): boolean =>
  gpu.tenants.length > 0 && (!hasOthers({ ...gpu, unseenUse: null }) || admitsOthers(need, gpu));

/** Those of them that are free, or that jobs have, in any order: others may never let go of theirs. */
export const listComingGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus.filter(
    (gpu) =>
      isWanted(need, gpu) &&
      gpu.fault === null &&
      findDistrust(need, gpu) === null &&
      findReserve(need, gpu) === null &&
      (isFree(need, gpu) || hasLeavers(need, gpu)),
  );

const findFree = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus.filter((gpu) => isWanted(need, gpu) && isFree(need, gpu));

export const listFreeGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  putInOrder(need, findFree(need, gpus));

const takeFirst = ({ numGpus }: GpuNeed, free: readonly GpuState[]): readonly number[] =>
  free
    .slice(0, numGpus)
    .map((gpu) => gpu.index)
    .toSorted((a, b) => a - b);

/** Indices in ascending order, empty for a CPU job; null when the job can't have what it needs now. */
export const selectGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly number[] | null => {
  const free = findFree(need, gpus);
  return free.length < need.numGpus ? null : takeFirst(need, putInOrder(need, free));
};

/** Likewise, but of the free ones those with the most memory. */
export const selectLargest = (need: GpuNeed, gpus: readonly GpuState[]): readonly number[] | null => {
  const free = listFreeGpus(need, gpus);
  if (free.length < need.numGpus) return null;
  return takeFirst(
    need,
    free.toSorted((a, b) => (b.memoryTotal ?? 0) - (a.memoryTotal ?? 0)),
  );
};

export const GPU_USES = ["free", "busy", "foreign", "blacklisted", "faulty"] as const;

/** `busy`: a job of Nexus has it; `foreign`: only others use it; `faulty`: it is not handed out for what is wrong with it. */
export type GpuUse = (typeof GPU_USES)[number];

export const nameGpuUse = (gpu: GpuState): GpuUse => {
  if (gpu.runningJobId !== null) return "busy";
  if (gpu.fault !== null) return "faulty";
  if (gpu.isBlacklisted) return "blacklisted";
  return isIdle(gpu) ? "free" : "foreign";
};
