import { rememberEach } from "../../../../base/remember-each.ts";
import { isSharing } from "../../jobs/fields/gpu-kinds.ts";
import type { Launch, QueuedJob } from "../../jobs/job.ts";
import { bookGpus, countLeast } from "../booked-gpus.ts";
import {
  type GpuState,
  giveGpus,
  listComingGpus,
  listEligibleGpus,
  listFreeGpus,
  listOpenGpus,
  selectGpus,
} from "../gpu-selection.ts";
import { nameNeed } from "../needs/need-name.ts";
import { addToUses, type UserUses } from "../user-limits.ts";
import {
  bookHost,
  findHostLack,
  type HostPart,
  type HostRoom,
  isNoPart,
  limitHostPart,
  takeHostPart,
} from "./host-part.ts";

/** What a job further up in the queue starts with, or what is kept for it because it was passed over for long. */
export type Allocation = Readonly<{
  kind: "start" | "keep";
  job: QueuedJob;
  gpuIdxs: readonly number[];
  host: HostPart;
  booked?: Pick<Launch, "bookedGpus">;
}>;

/** What is left when it is a job's turn; `uses` are those of all users. */
export type Room = Readonly<{
  gpus: readonly GpuState[];
  cpuSlots: number;
  host: HostRoom;
  allocations: readonly Allocation[];
  uses: UserUses;
}>;

/** These GPUs as the job books them. */
export const bookIn = ({ gpus }: Room, job: QueuedJob, gpuIdxs: readonly number[]): Pick<Launch, "bookedGpus"> =>
  bookGpus(
    job,
    gpus.filter(({ index }) => gpuIdxs.includes(index)),
  );

/** The least that its GPUs would count as. */
export const bookLeast = ({ gpus }: Room, job: QueuedJob, all: readonly GpuState[]): Pick<Launch, "bookedGpus"> => {
  if (!isSharing(job)) return {};
  const free = listFreeGpus(job, gpus);
  return { bookedGpus: countLeast(job, free.length < job.numGpus ? listEligibleGpus(job, all) : free) };
};

/** What the job books of CPUs and memory with these GPUs. */
export const bookPart = (room: Room, job: QueuedJob, gpuIdxs: readonly number[]): HostPart =>
  bookHost(room.host, { ...job, ...bookIn(room, job, gpuIdxs) });

export const hasPart = (room: Room, job: QueuedJob, gpuIdxs: readonly number[]): boolean =>
  findHostLack(bookPart(room, job, gpuIdxs), room.host.free) === null;

const takeGpus = (gpus: readonly GpuState[], { kind, job, gpuIdxs }: Allocation): readonly GpuState[] =>
  kind === "start" && isSharing(job)
    ? giveGpus(gpus, gpuIdxs, job)
    : gpus.filter((gpu) => !gpuIdxs.includes(gpu.index));

const allocate = (room: Room, allocation: Allocation): Room =>
  allocation.kind === "keep" && allocation.gpuIdxs.length === 0 && isNoPart(allocation.host)
    ? room
    : {
        ...room,
        gpus: takeGpus(room.gpus, allocation),
        cpuSlots: room.cpuSlots - Number(allocation.job.numGpus === 0),
        host: takeHostPart(room.host, allocation.host),
        allocations: [...room.allocations, allocation],
      };

/** The least that it would book of CPUs and memory. */
export const bookLeastPart = (room: Room, job: QueuedJob, all: readonly GpuState[]): HostPart =>
  bookHost(room.host, room.host.rules.bookCpus ? { ...job, ...bookLeast(room, job, all) } : job);

/** Whether that much, and its GPUs, are there and free, or had by jobs. */
export const isComing = (
  host: HostRoom,
  part: HostPart,
  { job, all }: Readonly<{ job: QueuedJob; all: readonly GpuState[] }>,
): boolean =>
  findHostLack(part, host.rules.whole) === null &&
  (job.numGpus === 0 || listComingGpus(job, all).length >= job.numGpus);

const nameOnce = rememberEach(nameNeed);

const hasKept = ({ allocations }: Room, job: QueuedJob): boolean => {
  const kept = allocations.filter((one) => one.kind === "keep" && one.job.user === job.user);
  return kept.length > 0 && kept.some((one) => nameOnce(one.job) === nameOnce(job));
};

/** What is left where all that is free of what the job could be given is kept from those behind it: nothing of what may never come free, and of one need once. */
export const keepRoom = (room: Room, job: QueuedJob, all: readonly GpuState[]): Room => {
  if (job.numGpus === 0 && room.cpuSlots === 0) return room;
  const part = bookLeastPart(room, job, all);
  if (job.numGpus > 0 && room.gpus.length === 0 && isNoPart(part)) return room;
  if (!isComing(room.host, part, { job, all }) || (!isNoPart(part) && hasKept(room, job))) return room;
  const gpuIdxs = selectGpus(job, room.gpus) ?? listOpenGpus(job, room.gpus).map((gpu) => gpu.index);
  return allocate(room, { kind: "keep", job, gpuIdxs, host: limitHostPart(part, room.host.free) });
};

/** What is left once the job has started. */
export const startIn = (room: Room, job: QueuedJob, gpuIdxs: readonly number[]): Room => {
  const [host, booked] = [bookPart(room, job, gpuIdxs), bookIn(room, job, gpuIdxs)];
  const left = allocate(room, { kind: "start", job, gpuIdxs, host, booked });
  return { ...left, uses: addToUses(room.uses, { ...job, ...booked }) };
};
