import type { Problem, Result } from "../../../base/result.ts";

/** `processes` are the pids of all that use it. Memory in MiB, utilisation in percent, temperature in °C, power in watts; null where the driver does not say. */
export type Gpu = Readonly<{
  index: number;
  uuid: string | null;
  name: string;
  memoryTotal: number;
  memoryUsed: number;
  utilization: number | null;
  temperature: number | null;
  powerDraw: number | null;
  processes: readonly number[];
}>;

/** `read` answers from a cache not older than `maxAgeS` seconds; it never rejects and never takes over 5 s. */
export type GpuProbe = Readonly<{
  isMock: boolean;
  read: (maxAgeS?: number) => Promise<Result<readonly Gpu[], Problem>>;
}>;
