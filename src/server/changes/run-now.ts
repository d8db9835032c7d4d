import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { describeDrain } from "../../wire/drain/drain-text.ts";
import { RUN_NOW_PRIORITY } from "../../wire/job.ts";
import type { QueuedJob } from "../core/jobs/job.ts";
import { findMissingGpus } from "../core/jobs/job-request.ts";
import { type DiskRoom, describeDiskRoom, isDiskLow } from "../core/machine/disk-room.ts";
import { bookGpus, countLeast } from "../core/queue/booked-gpus.ts";
import {
  bookHost,
  createHostRoom,
  findHostShortage,
  type HostPart,
  type HostRoom,
  type HostRules,
  NO_HOST_RULES,
  takeHostPart,
} from "../core/queue/booking/host-part.ts";
import { describeShortage } from "../core/queue/booking/host-text.ts";
import type { Drain } from "../core/queue/drain.ts";
import { type Gpu, indexGpus } from "../core/queue/gpu.ts";
import { describeGpus, type GpuState, giveGpus, listWantedGpus, selectGpus } from "../core/queue/gpu-selection.ts";
import { countOfBatch, describeBatchReached, findBatchReached } from "../core/queue/limits/batch-limit.ts";
import { findReserve, markReserved, type Reserves } from "../core/queue/reservations/reservation.ts";
import { describeReservation } from "../core/queue/reservations/reservation-text.ts";
import {
  checkUserLimits,
  countUse,
  describeReached,
  findReached,
  type LimitsOf,
  NO_LIMITS,
} from "../core/queue/user-limits.ts";
import { createRefusal, type Refusal } from "../core/refusal.ts";
import type { Store } from "../core/store.ts";

const MAX_WAITING_RUN_NOW = 100;

const isWaitingRunNow = (job: { status: string; priority: number }): job is QueuedJob =>
  job.status === "queued" && job.priority === RUN_NOW_PRIORITY;

type Left = Readonly<{ states: readonly GpuState[]; host: HostRoom }>;

const bookWith = ({ states, host }: Left, job: QueuedJob, idxs: readonly number[]): HostPart =>
  bookHost(host, {
    ...job,
    ...bookGpus(
      job,
      states.filter(({ index }) => idxs.includes(index)),
    ),
  });

const occupy = (left: Left, job: QueuedJob, idxs: readonly number[]): Left => ({
  states: giveGpus(left.states, idxs, job),
  host: takeHostPart(left.host, bookWith(left, job, idxs)),
});

const occupyForWaiting = (store: Store, left: Left): Left =>
  store
    .loadQueuedJobs({ limit: MAX_WAITING_RUN_NOW })
    .filter(isWaitingRunNow)
    .reduce((rest, job) => occupy(rest, job, selectGpus(job, rest.states) ?? []), left);

const isModest = ({ numGpus, cpus = null, memoryMib = null }: QueuedJob): boolean =>
  numGpus === 0 && cpus === null && memoryMib === null;

const describeLack = (left: Left, job: QueuedJob, idxs: readonly number[]): string | null => {
  const { free, rules } = left.host;
  const shortage = isModest(job) ? null : findHostShortage(bookWith(left, job, idxs), free, rules.whole);
  return shortage === null ? null : `it ${describeShortage(shortage)} now`;
};

const describeGpuShortage = ({ requestedGpuIdxs: idxs, numGpus }: QueuedJob): string => {
  if (idxs.length > 0)
    return idxs.length === 1 ? `GPU ${idxs[0]} is not free` : `GPUs ${idxs.join(", ")} are not all free`;
  return numGpus === 1 ? "no GPU is free" : `fewer than ${numGpus} GPUs are free`;
};

const describeFaults = (job: QueuedJob, gpus: readonly Gpu[]): string => {
  const wanted = gpus.filter(({ index }) => job.requestedGpuIdxs.length === 0 || job.requestedGpuIdxs.includes(index));
  const faults = wanted.flatMap(({ index, fault }) => (fault === null ? [] : [`GPU ${index}: ${fault}`]));
  return faults.length === 0 ? "" : ` (out of order: ${faults.join("; ")})`;
};

const describeBlacklisted = (job: QueuedJob, states: readonly GpuState[]): string => {
  const idxs = selectGpus({ ...job, ignoreBlacklist: true }, states) ?? [];
  const listed = states.filter(({ index, isBlacklisted }) => isBlacklisted && idxs.includes(index));
  return listed.length === 0 ? "" : ` (blacklisted: GPU ${listed.map(({ index }) => index).join(", ")})`;
};

const describeReserved = (job: QueuedJob, states: readonly GpuState[]): string => {
  const reserved = listWantedGpus(job, states).flatMap((gpu) => {
    const reserve = findReserve(job, gpu);
    return reserve === null ? [] : [`GPU ${gpu.index} by ${describeReservation(reserve.reservation)}`];
  });
  return reserved.length === 0 ? "" : ` (reserved: ${reserved.join("; ")})`;
};

type Machine = Readonly<{ gpus: Result<readonly Gpu[], Problem>; states: readonly GpuState[] }>;

const explainShortage = (job: QueuedJob, { gpus, states }: Machine): string => {
  if (!gpus.ok) return `The GPUs cannot be read: ${gpus.error.message}`;
  const indexes = indexGpus(gpus.value);
  const missing = findMissingGpus({ gpu_idxs: [...job.requestedGpuIdxs], num_gpus: job.numGpus }, indexes);
  if (missing !== null) return missing.message;
  const reasons = `${describeBlacklisted(job, states)}${describeFaults(job, gpus.value)}${describeReserved(job, states)}`;
  return `The job cannot run immediately: ${describeGpuShortage(job)} now${reasons}`;
};

type Halts = Readonly<{ drain: Drain | null; disk: DiskRoom | null; trouble: string | null }>;

const describeHalt = ({ drain, disk, trouble }: Halts): string | null => {
  if (drain !== null) return describeDrain(drain);
  return isDiskLow(disk) ? describeDiskRoom(disk) : trouble;
};

const refuseNow = (why: string): Result<never, Refusal> =>
  err(createRefusal("GPU_ERROR", `The job cannot run immediately: ${why}`));

type Limited = Readonly<{ gpus: Result<readonly Gpu[], Problem>; limitsOf: LimitsOf }>;

const describeLimits = (store: Store, asked: readonly QueuedJob[], { gpus, limitsOf }: Limited): string | null => {
  const count = (job: QueuedJob) => ({ ...job, numGpus: countLeast(job, gpus.ok ? gpus.value : []) });
  const jobs = asked.map(count);
  const allowed = checkUserLimits(
    jobs.map((job) => ({ ...job, priority: Number.NEGATIVE_INFINITY })),
    limitsOf,
  );
  if (!allowed.ok) return allowed.error.message;
  const promised = store.loadQueuedJobs({ limit: MAX_WAITING_RUN_NOW }).filter(isWaitingRunNow).map(count);
  const before = [...store.loadActiveJobs(), ...promised];
  for (const [index, job] of jobs.entries()) {
    const { user, numGpus } = job;
    const full = findBatchReached(job, (id) => countOfBatch(id, jobs.slice(0, index)));
    if (full !== null) return describeBatchReached(full);
    const reached = findReached(numGpus, limitsOf(user), countUse(user, [...before, ...jobs.slice(0, index)]));
    if (reached !== null) return describeReached(user, reached);
  }
  return null;
};

/** Whether all of these jobs could start at this moment, side by side and beside those that were promised the same. */
export const checkRunNow = (
  store: Store,
  {
    gpus,
    limitsOf = NO_LIMITS,
    host = NO_HOST_RULES,
    reserves,
    ...halts
  }: Halts &
    Readonly<{
      gpus: Result<readonly Gpu[], Problem>;
      limitsOf?: LimitsOf | undefined;
      host?: HostRules | undefined;
      reserves: Reserves;
    }>,
  jobs: readonly QueuedJob[],
): Result<void, Refusal> => {
  const halt = describeHalt(halts);
  if (halt !== null && jobs.length > 0) return refuseNow(halt);
  const limit = describeLimits(store, jobs, { gpus, limitsOf });
  if (limit !== null) return refuseNow(limit);
  const active = store.loadActiveJobs();
  const described = describeGpus(gpus.ok ? gpus.value : [], active, store.listBlacklist());
  const states = markReserved(described, reserves);
  let left = occupyForWaiting(store, { states, host: createHostRoom(host, states.length, active) });
  for (const job of jobs) {
    const idxs = selectGpus(job, left.states);
    if (idxs === null) return err(createRefusal("GPU_ERROR", explainShortage(job, { gpus, states: left.states })));
    const lack = describeLack(left, job, idxs);
    if (lack !== null) return refuseNow(lack);
    left = occupy(left, job, idxs);
  }
  return ok(undefined);
};
