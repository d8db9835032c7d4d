import type { Settings } from "./core/config.ts";
import type { Clock, GpuProbe, HostStats } from "./core/ports.ts";
import { createGpuHealth } from "./external/gpu-health.ts";
import { createHostStats } from "./external/host-stats.ts";
import { createMockGpus } from "./external/mock-gpus.ts";
import { createNetworkTest } from "./external/network-test.ts";
import { createNvidiaSmi } from "./external/nvidia-smi.ts";

/** Without a number of GPUs to pretend, those that the driver tells of. */
export const createGpus = (mockGpus: number): GpuProbe =>
  mockGpus > 0 ? createMockGpus(mockGpus) : createNvidiaSmi({});

export const createHealth = (settings: Settings, gpus: GpuProbe, clock: Clock): HostStats =>
  createHostStats({
    serverDir: settings.serverDir,
    clock,
    measureNetwork: createNetworkTest(settings),
    readGpus: createGpuHealth(gpus),
  });
