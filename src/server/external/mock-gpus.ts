import { ok } from "../../shared/result.ts";
import type { Gpu, GpuProbe } from "../core/ports.ts";

const MEMORY_MIB = [8192, 16_384] as const;

const createMockGpu = (index: number): Gpu => ({
  index,
  uuid: `MOCK-${index}`,
  name: `Mock GPU ${index}`,
  memoryTotal: MEMORY_MIB[index % 2 === 0 ? 0 : 1],
  memoryUsed: 0,
  utilization: null,
  temperature: null,
  powerDraw: null,
  processes: [],
});

export const createMockGpus = (count: number): GpuProbe => {
  const gpus = Array.from({ length: count }, (_gpu, index) => createMockGpu(index));
  return { isMock: true, read: async () => ok(gpus) };
};
