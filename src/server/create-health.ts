import type { Settings } from "./core/config.ts";
import type { Clock, GpuProbe, HostStats } from "./core/ports.ts";
import { createGpuHealth } from "./external/gpu-health.ts";
import { createHostStats } from "./external/host-stats.ts";
import { createNetworkTest } from "./external/network-test.ts";

export const createHealth = (settings: Settings, gpus: GpuProbe, clock: Clock): HostStats =>
  createHostStats({
    serverDir: settings.serverDir,
    clock,
    measureNetwork: createNetworkTest(settings),
    readGpus: createGpuHealth(gpus),
  });
