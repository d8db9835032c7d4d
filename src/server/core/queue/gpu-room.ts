import { rememberEach } from "../../../base/remember-each.ts";
import type { JobId } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";

/** A job on a GPU: MiB that it booked there, null for one that has it alone, and that its processes have there, null where that is not known. */
export type Tenant = Readonly<{ id: JobId; bookedMib: number | null; usedMib: number | null }>;

/** A GPU and the jobs on it, the oldest first. */
export type Shared = Gpu & Readonly<{ tenants: readonly Tenant[] }>;

const SPARED_MIB = 512;

const sum = (figures: readonly (number | null)[]): number => figures.reduce<number>((all, one) => all + (one ?? 0), 0);

/** MiB that the processes of a job have on a GPU; null where that is not known. */
export const measureUse = ({ users }: Gpu, id: JobId): number | null => {
  const own = users?.filter(({ jobId }) => jobId === id).map(({ memoryMib }) => memoryMib);
  return own === undefined || own.includes(null) ? null : sum(own);
};

const isUseKnown = ({ users }: Gpu): boolean => users?.every(({ memoryMib }) => memoryMib !== null) ?? false;

const countTaken = (gpu: Shared, used: number): number => {
  const { tenants } = gpu;
  const booked = tenants.map(({ bookedMib }) => bookedMib);
  if (!isUseKnown(gpu)) return Math.max(sum(booked), used);
  const own = tenants.map(({ bookedMib, usedMib }) => Math.max(bookedMib ?? 0, usedMib ?? 0));
  return sum(own) + Math.max(0, used - sum(tenants.map(({ usedMib }) => usedMib)));
};

/** MiB that may be booked of a GPU as a whole; 0 where its memory is not known. */
export const countWhole = ({ memoryTotal }: Pick<Gpu, "memoryTotal">): number =>
  Math.max(0, (memoryTotal ?? 0) - SPARED_MIB);

/** MiB that may still be booked of a GPU, beside what is booked and used there; 0 where that is not known. */
export const countRoom: (gpu: Shared) => number = rememberEach((gpu) =>
  gpu.memoryUsed === null ? 0 : Math.max(0, countWhole(gpu) - countTaken(gpu, gpu.memoryUsed)),
);

/** Whether somebody uses it who is none of the jobs on it. */
export const hasOthers = ({ processes, users, unseenUse, tenants }: Shared): boolean => {
  if (unseenUse !== null) return true;
  if (users === undefined) return processes.length > 0 && tenants.length === 0;
  return users.some(({ jobId }) => !tenants.some(({ id }) => id === jobId));
};

/** Whether each job on it has booked its part. */
export const isShareable = ({ tenants }: Pick<Shared, "tenants">): boolean =>
  tenants.every(({ bookedMib }) => bookedMib !== null);
