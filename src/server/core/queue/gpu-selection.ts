import type { ActiveJob, JobId, QueuedJob } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";

export type GpuState = Gpu & Readonly<{ isBlacklisted: boolean; runningJobId: JobId | null }>;

export type GpuNeed = Pick<QueuedJob, "numGpus" | "requestedGpuIdxs" | "ignoreBlacklist">;

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

const isIdle = (gpu: GpuState): boolean => gpu.runningJobId === null && gpu.processes.length === 0;

/** The GPUs that a job may be given at all, whoever uses them now; the preferred ones first. */
export const listEligibleGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  gpus
    .filter((gpu) => need.requestedGpuIdxs.length === 0 || need.requestedGpuIdxs.includes(gpu.index))
    .filter((gpu) => need.ignoreBlacklist || !gpu.isBlacklisted)
    .toSorted((a, b) => Number(a.isBlacklisted) - Number(b.isBlacklisted) || a.index - b.index);

export const listFreeGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly GpuState[] =>
  listEligibleGpus(need, gpus).filter(isIdle);

/** Indices in ascending order, empty for a CPU job; null when the job can't have what it needs now. */
export const selectGpus = (need: GpuNeed, gpus: readonly GpuState[]): readonly number[] | null => {
  if (need.numGpus === 0) return [];
  const free = listFreeGpus(need, gpus);
  if (free.length < need.numGpus) return null;
  return free
    .slice(0, need.numGpus)
    .map((gpu) => gpu.index)
    .toSorted((a, b) => a - b);
};

export const GPU_USES = ["free", "busy", "foreign", "blacklisted"] as const;

/** `busy`: a job of Nexus has it; `foreign`: only processes that Nexus did not start use it. */
export type GpuUse = (typeof GPU_USES)[number];

export const nameGpuUse = (gpu: GpuState): GpuUse => {
  if (gpu.runningJobId !== null) return "busy";
  if (gpu.isBlacklisted) return "blacklisted";
  return gpu.processes.length > 0 ? "foreign" : "free";
};
