import type { ActiveJob, JobId } from "../../jobs/job.ts";
import type { Gpu } from "../gpu.ts";
import { measureUse } from "../gpu-room.ts";

const releaseKnown = (gpu: Gpu, ids: ReadonlySet<JobId>): Gpu => {
  const users = gpu.users?.filter(({ jobId }) => jobId === null || !ids.has(jobId)) ?? [];
  const freed = [...ids].reduce((sum, id) => sum + (measureUse(gpu, id) ?? 0), 0);
  return {
    ...gpu,
    users,
    processes: users.map(({ pid }) => pid),
    memoryUsed: gpu.memoryUsed === null ? null : Math.max(0, gpu.memoryUsed - freed),
  };
};

/** The GPUs once these jobs have ended, and what they had there is gone. Where it is not known whose processes are there, they are taken for theirs. */
export const releaseGpus = (gpus: readonly Gpu[], ended: readonly ActiveJob[]): readonly Gpu[] =>
  gpus.map((gpu) => {
    const ids = new Set(ended.filter(({ gpuIdxs }) => gpuIdxs.includes(gpu.index)).map(({ id }) => id));
    if (ids.size === 0) return gpu;
    return gpu.users === undefined ? { ...gpu, processes: [] } : releaseKnown(gpu, ids);
  });
