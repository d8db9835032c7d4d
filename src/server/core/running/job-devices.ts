import type { Gpu } from "../queue/gpu.ts";
import type { Environment } from "../store.ts";

const CPU_ONLY: Environment = { CUDA_VISIBLE_DEVICES: "", HIP_VISIBLE_DEVICES: "-1" };

const listNames = (gpus: readonly Gpu[]): string => {
  const ids = gpus.flatMap(({ deviceId }) => (deviceId === null ? [] : [deviceId]));
  return (ids.length === gpus.length ? ids : gpus.map(({ index }) => index)).join(",");
};

const showAmd = (gpus: readonly Gpu[]): Environment => {
  const places = [...gpus.keys()].join(",");
  return { ROCR_VISIBLE_DEVICES: listNames(gpus), HIP_VISIBLE_DEVICES: places, CUDA_VISIBLE_DEVICES: places };
};

/**
 * The variables that show a job these GPUs and no others. HIP counts among those that ROCr leaves, and reads
 * CUDA_VISIBLE_DEVICES as its own (https://rocm.docs.amd.com/en/latest/conceptual/gpu-isolation.html).
 */
export const nameDevices = (gpus: readonly Gpu[]): Environment => {
  if (gpus.length === 0) return CPU_ONLY;
  return gpus[0]?.vendor === "amd" ? showAmd(gpus) : { CUDA_VISIBLE_DEVICES: listNames(gpus) };
};
