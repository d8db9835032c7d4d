import type { HostNeed } from "../../jobs/fields/host-parts.ts";
import type { ActiveJob, Launch, QueuedJob } from "../../jobs/job.ts";
import { countBooked } from "../booked-gpus.ts";

/** CPUs and MiB of the machine's memory. */
export type HostPart = Readonly<{ cpus: number; memoryMib: number }>;

/** All that may be booked; with `bookCpus` a job with GPUs that names no CPUs books its GPUs' part of them. */
export type HostRules = Readonly<{ whole: HostPart; bookCpus: boolean }>;

/** What is `free`, on a machine with so many GPUs in all. */
export type HostRoom = Readonly<{ rules: HostRules; gpuCount: number; free: HostPart }>;

type Asking = HostNeed & Pick<QueuedJob, "numGpus"> & Pick<Launch, "bookedGpus">;

type Started = HostNeed & Pick<ActiveJob, "gpuIdxs" | "bookedCpus">;

const MIB_A_GIB = 1024;
const ROUNDING = 1e-9;
const ENDLESS: HostPart = { cpus: Number.POSITIVE_INFINITY, memoryMib: Number.POSITIVE_INFINITY };

/** Where nothing is counted. */
export const NO_HOST_RULES: HostRules = { whole: ENDLESS, bookCpus: false };

export const createHostRules = ({
  cpus,
  memoryGb,
  bookCpus,
}: Readonly<{ cpus: number; memoryGb: number; bookCpus: boolean }>): HostRules => ({
  whole: { cpus, memoryMib: Math.floor(memoryGb * MIB_A_GIB) },
  bookCpus,
});

const countPart = ({ rules, gpuCount }: Omit<HostRoom, "free">, job: Asking): number =>
  rules.bookCpus && gpuCount > 0
    ? Math.max(1, Math.floor((rules.whole.cpus * countBooked(job)) / gpuCount + ROUNDING))
    : 0;

/** What the job books; with `bookedGpus` its GPUs count by their booked part. */
export const bookHost = (room: Omit<HostRoom, "free">, job: Asking): HostPart => ({
  cpus: job.cpus ?? (job.numGpus === 0 ? 1 : countPart(room, job)),
  memoryMib: job.memoryMib ?? 0,
});

/** The CPUs that are to be written down with the start, as nothing else of the job says how many they are. */
export const keepCpus = ({ numGpus, cpus = null }: Asking, part: HostPart): Pick<Launch, "bookedCpus"> =>
  numGpus > 0 && cpus === null && part.cpus > 0 ? { bookedCpus: part.cpus } : {};

/** What a job booked when it started. */
export const readHostPart = ({ cpus, memoryMib, bookedCpus, gpuIdxs }: Started): HostPart => ({
  cpus: bookedCpus ?? cpus ?? Number(gpuIdxs.length === 0),
  memoryMib: memoryMib ?? 0,
});

export const sumHostParts = (parts: readonly HostPart[]): HostPart => ({
  cpus: parts.reduce((sum, { cpus }) => sum + cpus, 0),
  memoryMib: parts.reduce((sum, { memoryMib }) => sum + memoryMib, 0),
});

/** What is left of it, nothing where more was taken. */
export const takeFrom = (free: HostPart, part: HostPart): HostPart => ({
  cpus: Math.max(0, free.cpus - part.cpus),
  memoryMib: Math.max(0, free.memoryMib - part.memoryMib),
});

/** What is left beside what these jobs have. */
export const createHostRoom = (rules: HostRules, gpuCount: number, active: readonly ActiveJob[]): HostRoom => ({
  rules,
  gpuCount,
  free: takeFrom(rules.whole, sumHostParts(active.map(readHostPart))),
});

export const takeHostPart = (room: HostRoom, part: HostPart): HostRoom => ({
  ...room,
  free: takeFrom(room.free, part),
});

/** As much of it as is free. */
export const limitHostPart = (part: HostPart, free: HostPart): HostPart => ({
  cpus: Math.min(part.cpus, free.cpus),
  memoryMib: Math.min(part.memoryMib, free.memoryMib),
});

export const isNoPart = ({ cpus, memoryMib }: HostPart): boolean => cpus === 0 && memoryMib === 0;

/** What there is too little of, CPUs first; null where there is enough. */
export const findHostLack = (part: HostPart, free: HostPart): "cpus" | "memory" | null => {
  if (part.cpus > free.cpus) return "cpus";
  return part.memoryMib > free.memoryMib ? "memory" : null;
};

/** Of what there is too little of: how much is asked, free and there at all. */
export type HostShortage = Readonly<{ reason: "cpus" | "memory"; asked: number; free: number; whole: number }>;

/** What of the machine's CPUs and memory a part is short of, the first of the two; null where there is enough. */
export const findHostShortage = (part: HostPart, free: HostPart, whole: HostPart): HostShortage | null => {
  const reason = findHostLack(part, free);
  if (reason === null) return null;
  const field = reason === "cpus" ? "cpus" : "memoryMib";
  return { reason, asked: part[field], free: free[field], whole: whole[field] };
};

const countTimes = (free: number, each: number): number =>
  each === 0 ? Number.POSITIVE_INFINITY : Math.floor(free / each);

/** How often the part is free. */
export const countHostPlaces = (part: HostPart, free: HostPart): number =>
  Math.min(countTimes(free.cpus, part.cpus), countTimes(free.memoryMib, part.memoryMib));
