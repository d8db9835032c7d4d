import { isSharing } from "../jobs/fields/gpu-kinds.ts";
import type { Job } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";
import { findUnfit } from "./gpu-kind.ts";

const MARGIN = 1.05;
const GIB = 1024;

/** Whether a job could book memory, and does not. */
export const isWithoutVram = (job: Job): boolean =>
  job.status === "queued" && job.numGpus > 0 && !isSharing(job) && (job.minVramMib ?? null) === null;

/** MiB that a job might book of its GPUs, which had so much of one when its command ran last; null where these have no such room. */
export const proposeVram = (job: Job, peakMib: number, gpus: readonly Gpu[]): number | null => {
  const vramMib = Math.ceil((peakMib * MARGIN) / GIB) * GIB;
  return findUnfit({ ...job, vramMib }, gpus) === null ? vramMib : null;
};
