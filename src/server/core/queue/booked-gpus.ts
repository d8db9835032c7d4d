import { type GpuKinds, isSharing } from "../jobs/fields/gpu-kinds.ts";
import type { Launch, QueuedJob } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";
import { isOfKind } from "./gpu-kind.ts";

type Sized = Pick<Gpu, "index" | "name" | "memoryTotal">;
type Need = GpuKinds & Pick<QueuedJob, "numGpus" | "requestedGpuIdxs">;

const sum = (figures: readonly number[]): number => figures.reduce((all, one) => all + one, 0);

const measurePart = ({ vramMib = null }: GpuKinds, { memoryTotal }: Sized): number =>
  vramMib === null || memoryTotal === null ? 1 : Math.min(1, vramMib / memoryTotal);

/** These GPUs, each by the part of its memory that the job books there; nothing for a job that has them alone. */
export const bookGpus = (job: GpuKinds, gpus: readonly Sized[]): Pick<Launch, "bookedGpus"> =>
  isSharing(job) ? { bookedGpus: sum(gpus.map((gpu) => measurePart(job, gpu))) } : {};

/** The GPUs that it has, those that it shares by their booked part. */
export const countBooked = ({ numGpus, bookedGpus }: Pick<Launch, "bookedGpus"> & Pick<QueuedJob, "numGpus">): number =>
  bookedGpus ?? numGpus;

/** The least that the job would have of these GPUs if it started on them. */
export const countLeast = (need: Need, gpus: readonly Sized[]): number => {
  if (!isSharing(need)) return need.numGpus;
  const { requestedGpuIdxs: idxs } = need;
  const wanted = gpus.filter((gpu) => (idxs.length === 0 || idxs.includes(gpu.index)) && isOfKind(need, gpu));
  const parts = wanted.map((gpu) => measurePart(need, gpu)).toSorted((a, b) => a - b);
  return sum(parts.slice(0, need.numGpus));
};
