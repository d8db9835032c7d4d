import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** Which GPUs will do, and how much of each is booked, in MiB; one of which `vramMib` is not said is had alone. Null where that was taken away. */
export type GpuKinds = Readonly<{ vramMib?: number | null; minVramMib?: number | null; gpuType?: string | null }>;

/** What is wrong with what is asked of GPUs together. */
export type KindConflict = Readonly<{ field: "vram_mib"; message: string; type: "conflict" }>;

export const readGpuKinds = (asked: AskedFields): GpuKinds => {
  const { vram_mib: vramMib, min_vram_mib: minVramMib, gpu_type: gpuType } = asked;
  return takeGiven({ vramMib, minVramMib, gpuType });
};

export const tellGpuKinds = ({
  vramMib = null,
  minVramMib = null,
  gpuType = null,
}: GpuKinds): Pick<ToldFields, "vram_mib" | "min_vram_mib" | "gpu_type"> => ({
  vram_mib: vramMib,
  min_vram_mib: minVramMib,
  gpu_type: gpuType,
});

export const isSharing = ({ vramMib = null }: GpuKinds): boolean => vramMib !== null;

/** Null for a job that shares its GPUs and has some, and for each that does not share any. */
export const findKindConflict = (job: GpuKinds & Readonly<{ numGpus: number }>): KindConflict | null => {
  if (!isSharing(job)) return null;
  const refuse = (message: string): KindConflict => ({ field: "vram_mib", message, type: "conflict" });
  if (job.numGpus === 0) return refuse("A job without GPUs can't book memory of one");
  return (job.minVramMib ?? null) === null
    ? null
    : refuse("A job books memory of GPUs that others share, or asks for GPUs of a size that it has alone: not both");
};
