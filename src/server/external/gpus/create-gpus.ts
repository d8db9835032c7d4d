import type { GpuProbe } from "../../core/queue/gpu.ts";
import { createMockGpus } from "./mock-gpus.ts";
import { createNvidiaSmi } from "./nvidia-smi.ts";

/** Without a number of GPUs to pretend, those that the driver tells of. */
export const createGpus = (mockGpus: number): GpuProbe =>
  mockGpus > 0 ? createMockGpus(mockGpus) : createNvidiaSmi({});
