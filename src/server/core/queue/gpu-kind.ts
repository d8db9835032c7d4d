import { formatMib } from "../../../base/sizes.ts";
import { findKindConflict, type GpuKinds } from "../jobs/fields/gpu-kinds.ts";
import { findStallConflict, type StallLimits } from "../jobs/fields/stall-limits.ts";
import type { JobRequestError } from "../jobs/job-request.ts";
import type { Gpu } from "./gpu.ts";
import { countWhole } from "./gpu-room.ts";

type Sized = Pick<Gpu, "name" | "memoryTotal">;

/** Of what a job asks for. `field` is the first that no GPU, or too few, can meet. */
export type Unfit = Readonly<{ field: "vram_mib" | "min_vram_mib" | "gpu_type"; message: string; type: "unfit_gpus" }>;

type Need = GpuKinds & Readonly<{ numGpus: number; requestedGpuIdxs: readonly number[] }>;

type Test = Readonly<{
  field: Unfit["field"];
  isMet: (need: GpuKinds, gpu: Sized) => boolean;
  what: (need: GpuKinds) => string;
}>;

const TESTS: readonly Test[] = [
  {
    field: "gpu_type",
    isMet: ({ gpuType }, { name }) => !gpuType || name.toLowerCase().includes(gpuType.toLowerCase()),
    what: ({ gpuType }) => (gpuType ? ` of type ${gpuType}` : ""),
  },
  {
    field: "min_vram_mib",
    isMet: ({ minVramMib }, { memoryTotal }) => !minVramMib || (memoryTotal ?? 0) >= minVramMib,
    what: ({ minVramMib }) => (minVramMib ? ` with ${formatMib(minVramMib)}` : ""),
  },
  {
    field: "vram_mib",
    isMet: ({ vramMib }, gpu) => !vramMib || countWhole(gpu) >= vramMib,
    what: ({ vramMib }) => (vramMib ? ` with room for ${formatMib(vramMib)}` : ""),
  },
];

/** Whether it is one that the job asks for, whoever is there. */
export const isOfKind = (need: GpuKinds, gpu: Sized): boolean => TESTS.every(({ isMet }) => isMet(need, gpu));

/** Whether the job says which GPUs will do. */
export const isChoosy = ({ minVramMib = null, gpuType = null }: GpuKinds): boolean =>
  minVramMib !== null || gpuType !== null;

/** What it asks of its GPUs, for people: ` of type A100 with 40 GiB`; nothing where any will do. */
export const describeKind = (need: GpuKinds): string => TESTS.map(({ what }) => what(need)).join("");

const tellMachine = (gpus: readonly Gpu[]): string => {
  const kinds = gpus.map((gpu) => `${gpu.name} with ${formatMib(gpu.memoryTotal ?? 0)}`);
  return kinds.length === 0 ? "none" : [...new Set(kinds)].join(", ");
};

const tellCount = (count: number): string => {
  if (count === 0) return "none is such a one";
  return count === 1 ? "only 1 is" : `only ${count} are`;
};

/** What of it the machine's GPUs will never meet, whoever is there; null where they may. Of each, half a GiB is not booked. */
export const findUnfit = (need: Need, gpus: readonly Gpu[]): Unfit | null => {
  let fitting = gpus.filter(({ index }) => need.requestedGpuIdxs.length === 0 || need.requestedGpuIdxs.includes(index));
  for (const { field, isMet, what } of TESTS) {
    const before = fitting.length;
    fitting = fitting.filter((gpu) => isMet(need, gpu));
    if (fitting.length === before || fitting.length >= need.numGpus) continue;
    const asked = need.numGpus === 1 ? "a GPU" : `${need.numGpus} GPUs`;
    const message = `The job asks for ${asked}${what(need)}, and ${tellCount(fitting.length)} (this machine has: ${tellMachine(gpus)})`;
    return { field, message, type: "unfit_gpus" };
  }
  return null;
};

/** What is wrong with what a job asks of its GPUs, by itself and for GPUs like these; they are null while they can't be read. */
export const findKindMistake = (job: Need & StallLimits, gpus: readonly Gpu[] | null): JobRequestError | null => {
  const conflict = findKindConflict(job) ?? findStallConflict(job);
  return conflict ?? (gpus === null || job.numGpus === 0 ? null : findUnfit(job, gpus));
};
