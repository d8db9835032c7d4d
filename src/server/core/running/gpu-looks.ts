import type { SeenUse } from "../jobs/gpu-use.ts";
import type { RunningJob } from "../jobs/job.ts";
import type { Gpu } from "../queue/gpu.ts";

const IDLE_BELOW_PERCENT = 1;

/** What one look at the GPUs says of a job's; null where it has none, or what any of them does is not known. */
export const seeUse = ({ gpuIdxs }: Pick<RunningJob, "gpuIdxs">, gpus: readonly Gpu[]): SeenUse | null => {
  const own = gpuIdxs.map((index) => gpus.find((gpu) => gpu.index === index)?.utilization ?? null);
  const known = own.filter((percent) => percent !== null);
  if (known.length === 0 || known.length < own.length) return null;
  return {
    looks: 1,
    meanPercent: known.reduce((sum, percent) => sum + percent, 0) / known.length,
    peakPercent: Math.max(...known),
    idleShare: known.every((percent) => percent < IDLE_BELOW_PERCENT) ? 1 : 0,
  };
};
