import type { Gpu } from "./gpu.ts";

/** What a job's end says against a GPU; `at` in Unix seconds. It is of the GPU of that uuid where that is known, else of that index. */
export type GpuFault = Readonly<{ gpuIdx: number; uuid: string | null; text: string; at: number }>;

const HOLDS_FOR_S = 3600;

export const isFaultOf = ({ gpuIdx, uuid }: GpuFault, gpu: Pick<Gpu, "index" | "uuid">): boolean =>
  uuid !== null && gpu.uuid !== null ? uuid === gpu.uuid : gpuIdx === gpu.index;

/** The GPUs with what was noted against them within the last hour; what the driver says itself comes first. */
export const addFaults = (gpus: readonly Gpu[], faults: readonly GpuFault[], now: number): readonly Gpu[] => {
  const fresh = faults.filter(({ at }) => now - at < HOLDS_FOR_S);
  return gpus.map((gpu) => ({
    ...gpu,
    fault: gpu.fault ?? fresh.find((fault) => isFaultOf(fault, gpu))?.text ?? null,
  }));
};
