import type { GpuHealth } from "../../../wire/node.ts";
import type { GpuProbe } from "../../core/queue/gpu.ts";

const MAX_AGE_S = 60;

/** Xid errors themselves are in the kernel's log only; the recovery action is what the driver asks for after one. */
export const createGpuHealth =
  (gpus: GpuProbe): (() => Promise<readonly GpuHealth[]>) =>
  async () => {
    const reading = await gpus.read(MAX_AGE_S);
    if (!reading.ok) throw new Error(reading.error.message);
    return reading.value.map(({ index, temperature, eccErrors, recoveryAction, fault }) => ({
      index,
      temperature,
      ecc_errors: eccErrors,
      recovery_action: recoveryAction,
      fault,
    }));
  };
