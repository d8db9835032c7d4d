import { ok } from "../../../base/result.ts";
import type { Gpu, GpuProbe } from "../../core/queue/gpu.ts";

const DEFAULT_COUNT = 2;
const EVEN_MEMORY_MIB = 8192;
const ODD_MEMORY_MIB = 16_384;

const createMockGpu = (index: number): Gpu => ({
  index,
  uuid: `MOCK-${index}`,
  name: `Mock GPU ${index}`,
  vendor: "nvidia",
  deviceId: null,
  memoryTotal: index % 2 === 0 ? EVEN_MEMORY_MIB : ODD_MEMORY_MIB,
  memoryUsed: 0,
  utilization: null,
  temperature: null,
  powerDraw: null,
  eccErrors: null,
  recoveryAction: null,
  processes: [],
  fault: null,
  doubt: null,
  unseenUse: null,
});

/** GPUs that nobody has, so that a machine without one can try everything. */
export const createMockGpus = (count: number = DEFAULT_COUNT): GpuProbe => {
  const reading = ok(Array.from({ length: count }, (_, index) => createMockGpu(index)));
  return {
    isMock: true,
    read: async () => reading,
    readNow: async () => reading,
    readHint: () => null,
    stop: () => undefined,
  };
};
