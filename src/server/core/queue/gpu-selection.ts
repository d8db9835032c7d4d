import type { ActiveJob, JobId, QueuedJob } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";

export type GpuState = Gpu & Readonly<{ isBlacklisted: boolean; runningJobId: JobId | null }>;

export type GpuNeed = Pick<QueuedJob, "numGpus" | "requestedGpuIdxs" | "ignoreBlacklist" | "avoidedGpuIdxs">;

export const describeGpus = (
  gpus: readonly Gpu[],
  activeJobs: readonly ActiveJob[],
  blacklist: ReadonlySet<number>,
): readonly GpuState[] => {
  const owners = new Map(activeJobs.flatMap((job) => job.gpuIdxs.map((index) => [index, job.id] as const)));
  return gpus.map((gpu) => ({
    ...gpu,
    isBlacklisted: blacklist.has(gpu.index),
    runningJobId: owners.get(gpu.index) ?? null,
  }));
};

const isIdle = (gpu: GpuState): boolean =>
  gpu.runningJobId === null && gpu.processes.length === 0 && gpu.unseenUse === null && gpu.fault === null;

const hasFailed = ({ avoidedGpuIdxs = [] }: GpuNeed, { index }: GpuState): boolean => avoidedGpuIdxs.includes(index);

const rankGpu = (need: GpuNeed, gpu: GpuState): number =>
  4 * Number(hasFailed(need, gpu)) + 2 * Number(gpu.isBlacklisted) + Number(gpu.doubt !== null);

/** What is wrong with a GPU that is not given again to a job that it failed; null where nothing is. */
export const findDistrust = (need: GpuNeed, gpu: GpuState): string | null => (hasFailed(need, gpu) ? gpu.doubt : null);

/** The GPUs that a job asks for, whoever uses them and whatever is wrong with them; the preferred ones first. */
export const listWantedGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus
    .filter((gpu) => need.requestedGpuIdxs.length === 0 || need.requestedGpuIdxs.includes(gpu.index))
    .filter((gpu) => need.ignoreBlacklist || !gpu.isBlacklisted)
    .toSorted((a, b) => rankGpu(need, a) - rankGpu(need, b) || a.index - b.index);

/** Those of them that can come free: a faulty one is not handed out, however long one waits. */
export const listEligibleGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  listWantedGpus(need, gpus).filter(({ fault }) => fault === null);

/** Those of them that are free, or that jobs have: others may never let go of theirs. */
export const listComingGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  listEligibleGpus(need, gpus).filter(
    (gpu) => (gpu.runningJobId !== null || isIdle(gpu)) && findDistrust(need, gpu) === null,
  );

export const listFreeGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  listWantedGpus(need, gpus).filter((gpu) => isIdle(gpu) && findDistrust(need, gpu) === null);

/** Indices in ascending order, empty for a CPU job; null when the job can't have what it needs now. */
export const selectGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly number[] | null => {
  const free = listFreeGpus(need, gpus);
  if (free.length < need.numGpus) return null;
  return free
    .slice(0, need.numGpus)
    .map((gpu) => gpu.index)
    .toSorted((a, b) => a - b);
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
