import type { Problem, Result } from "../../../base/result.ts";
import type { JobId } from "../jobs/job.ts";

/** A process on a GPU: the memory that it has there in MiB, null where the driver does not say, and the job that it is of. */
export type GpuUser = Readonly<{ pid: number; memoryMib: number | null; jobId: JobId | null }>;

/**
 * `processes` are the pids of all that use it, 0 for one that is not told, `users` what more is known of them, absent where nothing is. `fault` is what speaks against handing it out, in
 * the driver's words; `doubt` is why others come first; `unseenUse` is how others show whose processes do not. `sharesWithOthers`: jobs that book memory may be there beside them.
 * `deviceId` is how the variables that show a job its GPUs name it, null where only an index will do. Memory in MiB,
 * utilisation in percent, temperature in °C, power in watts; null where the driver does not say.
 */
export type Gpu = Readonly<{
  index: number;
  uuid: string | null;
  name: string;
  vendor: "nvidia" | "amd";
  deviceId: string | null;
  memoryTotal: number | null;
  memoryUsed: number | null;
  utilization: number | null;
  temperature: number | null;
  powerDraw: number | null;
  eccErrors: number | null;
  recoveryAction: string | null;
  processes: readonly number[];
  users?: readonly GpuUser[];
  fault: string | null;
  doubt: string | null;
  unseenUse: string | null;
  sharesWithOthers?: boolean;
}>;

export type GpuReading = Result<readonly Gpu[], Problem>;

/**
 * `read` is to show: it takes 2 s at most, with what was last heard where the driver takes longer; `maxAgeS` is how old an
 * answer may be. `readNow` is to start jobs: it waits for an answer, and for one that is under way. Neither rejects, unless
 * what was noted against GPUs can't be read. `readHint` is what would make the GPUs easier to use. After `stop` nothing is
 * asked any more.
 */
export type GpuProbe = Readonly<{
  isMock: boolean;
  read: (maxAgeS?: number) => Promise<GpuReading>;
  readNow: () => Promise<GpuReading>;
  readHint: () => string | null;
  stop: () => void;
}>;

export const indexGpus = (gpus: readonly Pick<Gpu, "index">[]): ReadonlySet<number> =>
  new Set(gpus.map(({ index }) => index));
