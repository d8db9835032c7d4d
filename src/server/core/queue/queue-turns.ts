import { findWaitsSince } from "../jobs/fields/waits.ts";
import type { ActiveJob, Launch, QueuedJob } from "../jobs/job.ts";
import { type DiskRoom, isDiskLow } from "../machine/disk-room.ts";
import { type CountGpuSeconds, countLeft, findShare } from "./agent-share.ts";
import { countBooked, countLeast } from "./booked-gpus.ts";
import { bookHost, createHostRoom, type HostRules, keepCpus, NO_HOST_RULES } from "./booking/host-part.ts";
import { bookIn, bookLeast, bookPart, hasPart, isComing, keepRoom, type Room, startIn } from "./booking/room.ts";
import { countBack, countOn, type Drain, type Drains, findDrain, NO_DRAINS } from "./drain.ts";
import { findIneligibility, type Ineligibility } from "./eligibility.ts";
import type { UseOf } from "./fair-share.ts";
import { type GpuState, selectGpus, selectLargest } from "./gpu-selection.ts";
import { type BatchReached, countOfBatch, findBatchReached } from "./limits/batch-limit.ts";
import { countUses, findReached, type LimitsOf, NO_LIMITS, type ReachedNow, readUse } from "./user-limits.ts";

/**
 * What is decided about the queue depends on this and nothing else; `maxPassedOverS` in seconds. Of `queued` those may be
 * missing on which no decision depends (`createCountStarts`). While the disk is low or the machine in trouble, nothing starts.
 */
export type QueueFacts = Readonly<{
  queued: readonly QueuedJob[];
  active: readonly ActiveJob[];
  maxCpuJobs: number;
  maxPassedOverS: number;
  host?: HostRules;
  disk?: DiskRoom | null;
  trouble?: string | null;
  countGpuSeconds?: CountGpuSeconds;
  drains?: Drains;
  limitsOf?: LimitsOf;
  useOf?: UseOf | null;
}>;

/** `gpuIdxs` are the GPUs that the job starts on now, null when it has to wait; with `ineligibility` it was passed over. */
export type Turn = Readonly<{
  job: QueuedJob;
  room: Room;
  gpuIdxs: readonly number[] | null;
  ineligibility: Ineligibility | null;
}>;

/** How many GPUs the share of a job's agent leaves at its turn; infinite where it is no agent's. */
export const countShareLeft = (facts: QueueFacts, { allocations }: Room, job: QueuedJob): number => {
  const share = findShare(job);
  if (share === null) return Number.POSITIVE_INFINITY;
  const started = allocations.filter((one) => one.kind === "start" && one.job.user === job.user);
  return countLeft(share, facts) - started.reduce((count, { gpuIdxs }) => count + gpuIdxs.length, 0);
};

const hasShare = (facts: QueueFacts, room: Room, job: QueuedJob): boolean =>
  job.numGpus <= countShareLeft(facts, room, job);

export const countCpuJobs = (active: readonly ActiveJob[]): number =>
  active.filter((job) => job.gpuIdxs.length === 0).length;

export const countCpuSlots = ({ maxCpuJobs, active }: Pick<QueueFacts, "active" | "maxCpuJobs">): number =>
  Math.max(0, maxCpuJobs - countCpuJobs(active));

const findLimit = (
  { limitsOf = NO_LIMITS }: QueueFacts,
  { uses }: Room,
  job: QueuedJob & Pick<Launch, "bookedGpus">,
): ReachedNow | null => findReached(countBooked(job), limitsOf(job.user), readUse(uses, job.user));

const findFullBatch = ({ active }: QueueFacts, { allocations }: Room, job: QueuedJob): BatchReached | null => {
  const starting = () => allocations.flatMap((one) => (one.kind === "start" ? [one.job] : []));
  return findBatchReached(job, (id) => countOfBatch(id, active) + countOfBatch(id, starting()));
};

const findLimitAtLeast = (
  facts: QueueFacts,
  room: Room,
  { job, all }: Readonly<{ job: QueuedJob; all: readonly GpuState[] }>,
): ReachedNow | null =>
  findLimit(facts, room, job) === null ? null : findLimit(facts, room, { ...job, ...bookLeast(room, job, all) });

const chooseGpus = (facts: QueueFacts, room: Room, job: QueuedJob): readonly number[] | null => {
  if (job.numGpus === 0) return room.cpuSlots > 0 && hasPart(room, job, []) ? [] : null;
  if (room.gpus.length === 0) return null;
  const gpuIdxs = selectGpus(job, room.gpus);
  if (gpuIdxs === null) return null;
  const isOver =
    !hasPart(room, job, gpuIdxs) || findLimit(facts, room, { ...job, ...bookIn(room, job, gpuIdxs) }) !== null;
  const chosen = isOver ? selectLargest(job, room.gpus) : gpuIdxs;
  return chosen !== null && hasPart(room, job, chosen) ? chosen : null;
};

type KeepFacts = Readonly<{ all: readonly GpuState[]; mayKeep: boolean }>;

const leaveRoom = ({ job, room, gpuIdxs }: Turn, { all, mayKeep }: KeepFacts): Room => {
  if (gpuIdxs !== null) return startIn(room, job, gpuIdxs);
  return mayKeep ? keepRoom(room, job, all) : room;
};

/** Jobs that have waited since before this time, in Unix seconds, were passed over for too long. */
export const findPassedOverSince = (facts: Pick<QueueFacts, "drains" | "maxPassedOverS">, now: number): number =>
  countBack(facts.drains ?? NO_DRAINS, now, facts.maxPassedOverS);

/** The time from which on what it needs is kept for it; null where too few of those that it may be given are free or come free. */
export const findKeptFrom = (
  facts: QueueFacts,
  all: readonly GpuState[],
  { job, now }: Readonly<{ job: QueuedJob; now: number }>,
): number | null => {
  const host = createHostRoom(facts.host ?? NO_HOST_RULES, all.length, []);
  if (!isComing(host, bookHost(host, { ...job, bookedGpus: countLeast(job, all) }), { job, all })) return null;
  if (job.noPassing === true) return job.createdAt;
  return countOn(facts.drains ?? NO_DRAINS, now, { since: findWaitsSince(job), seconds: facts.maxPassedOverS });
};

/** Whether others were let go first for so long that GPUs are kept for it. */
export const isPassedOver = (facts: QueueFacts, job: QueuedJob, now: number): boolean =>
  findWaitsSince(job) < findPassedOverSince(facts, now);

type Moment = Readonly<{ all: readonly GpuState[]; now: number; drain: Drain | null; isHalted: boolean }>;

const findReachedNow = (facts: QueueFacts, room: Room, asked: Readonly<{ job: QueuedJob; all: readonly GpuState[] }>) =>
  findFullBatch(facts, room, asked.job) ?? findLimitAtLeast(facts, room, asked);

type Judged = Turn & Readonly<{ isWaiting: boolean }>;

const takeTurn = (facts: QueueFacts, room: Room, { job, ...moment }: Moment & { job: QueuedJob }): Judged => {
  const { all, now, drain, isHalted } = moment;
  const ineligibility = findIneligibility(job, now, drain) ?? findReachedNow(facts, room, { job, all });
  const isWaiting = ineligibility === null && hasShare(facts, room, job);
  return { job, room, gpuIdxs: isWaiting && !isHalted ? chooseGpus(facts, room, job) : null, ineligibility, isWaiting };
};

const describeMoment = (facts: QueueFacts, all: readonly GpuState[], now: number): Moment => ({
  all,
  now,
  drain: findDrain(facts.drains ?? NO_DRAINS, now),
  isHalted: isDiskLow(facts.disk ?? null) || (facts.trouble ?? null) !== null,
});

/** The turns of all queued jobs, in start order: each takes from what those before it left. */
export const listTurns = (facts: QueueFacts, all: readonly GpuState[], now: number): readonly Turn[] => {
  const turns: Turn[] = [];
  const moment = describeMoment(facts, all, now);
  const since = findPassedOverSince(facts, now);
  const host = createHostRoom(facts.host ?? NO_HOST_RULES, all.length, facts.active);
  const uses = countUses(facts.active);
  let room: Room = { gpus: all, cpuSlots: countCpuSlots(facts), host, allocations: [], uses };
  for (const job of facts.queued.toSorted(createStartOrder(facts.useOf ?? null))) {
    const { isWaiting, ...turn } = takeTurn(facts, room, { ...moment, job });
    turns.push(turn);
    room = leaveRoom(turn, { all, mayKeep: isWaiting && findWaitsSince(job) < since });
  }
  return turns;
};

type Ranked = Pick<QueuedJob, "id" | "priority" | "createdAt">;

/** Negative when `a` starts before `b`: the higher priority first, then the older, then the smaller id. */
export const compareStartOrder = (a: Ranked, b: Ranked): number => {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.id < b.id ? -1 : Number(a.id > b.id);
};

/** With `useOf` within a priority the jobs first of whom has used least. */
export const createStartOrder =
  (useOf: UseOf | null): ((a: QueuedJob, b: QueuedJob) => number) =>
  (a, b) =>
    useOf === null || a.priority !== b.priority
      ? compareStartOrder(a, b)
      : useOf(a.user) - useOf(b.user) || compareStartOrder(a, b);

/** A job that starts now, on these GPUs; `bookedCpus` as they are to be written down with it. */
export type Start = Readonly<{ job: QueuedJob; gpuIdxs: readonly number[] }> & Pick<Launch, "bookedCpus">;

/** Every start that the rules allow now, in start order. */
export const decideStarts = (facts: QueueFacts, gpus: readonly GpuState[], now: number): readonly Start[] =>
  listTurns(facts, gpus, now).flatMap(({ job, room, gpuIdxs }) =>
    gpuIdxs === null ? [] : [{ job, gpuIdxs, ...keepCpus(job, bookPart(room, job, gpuIdxs)) }],
  );
