import type { GpuState } from "./gpu-selection.ts";

export const GPU_USES = ["free", "busy", "foreign", "blacklisted"] as const;

/** `busy`: a job of Nexus has it; `foreign`: only processes that Nexus did not start use it. */
export type GpuUse = (typeof GPU_USES)[number];

export const nameGpuUse = (gpu: GpuState): GpuUse => {
  if (gpu.runningJobId !== null) return "busy";
  if (gpu.isBlacklisted) return "blacklisted";
  return gpu.processes.length > 0 ? "foreign" : "free";
};
