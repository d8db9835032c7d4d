import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { digestText } from "../../tools/digest.ts";
import { createTurnstile, type Turnstile } from "../../tools/turnstile.ts";
import type { JobRequest } from "../../wire/job.ts";
import { findBatchMistake } from "../core/jobs/fields/batches.ts";
import type { JobId, QueuedJob } from "../core/jobs/job.ts";
import { describeChange } from "../core/jobs/job-change.ts";
import { createJob, digestInput, type JobFacts, type JobRequestError } from "../core/jobs/job-request.ts";
import { countLeast } from "../core/queue/booked-gpus.ts";
import { findHostMistake } from "../core/queue/booking/host-mistake.ts";
import { NO_HOST_RULES } from "../core/queue/booking/host-part.ts";
import { findDrain } from "../core/queue/drain.ts";
import { type Gpu, indexGpus } from "../core/queue/gpu.ts";
import { findKindMistake } from "../core/queue/gpu-kind.ts";
import { giveTime, NO_LIMITS } from "../core/queue/user-limits.ts";
import { createInvalid, createUnavailable, type Refusal } from "../core/refusal.ts";
import type { Caller, SubmitContext } from "./context.ts";
import { createIncreasingClock } from "./increasing-clock.ts";
import { placeJobs, type Submission, type Submitted } from "./place-jobs.ts";
import { readReserves } from "./read-reserves.ts";
import { recordChange } from "./record-change.ts";
import { checkRunNow } from "./run-now.ts";

type GpuReading = Result<readonly Gpu[], Problem>;
type Locate = (index: number) => readonly (string | number)[];

export type SubmitJobs = (
  requests: readonly JobRequest[],
  locate: Locate,
  caller: Caller,
) => Promise<Result<Submitted, Refusal>>;

const needsGpus = ({ gpu_idxs, num_gpus }: JobRequest): boolean => num_gpus > 0 || (gpu_idxs ?? []).length > 0;

const isStored = ({ store }: SubmitContext, { job_id: id }: JobRequest): boolean =>
  Boolean(id) && store.findJob(id as JobId) !== null;

const prepareJob = (
  context: SubmitContext,
  request: JobRequest,
  facts: Pick<JobFacts, "batchId" | "agent" | "asker"> & Readonly<{ reading: GpuReading }>,
): Result<QueuedJob, JobRequestError> => {
  const { reading, ...given } = facts;
  const { limitsOf = NO_LIMITS } = context.settings;
  const gpus = reading.ok && !isStored(context, request) ? reading.value : null;
  const created = createJob(request, {
    id: request.job_id ? (request.job_id as JobId) : context.newJobId(),
    now: context.clock(),
    nodeName: context.settings.nodeName,
    requestDigest: digestText(digestInput(request)),
    ...given,
    gpuIndexes: gpus === null ? null : indexGpus(gpus),
  });
  if (!created.ok) return created;
  const host = isStored(context, request) ? NO_HOST_RULES : (context.settings.host ?? NO_HOST_RULES);
  const mistake = findKindMistake(created.value, gpus) ?? findHostMistake(created.value, host);
  return mistake === null ? ok(giveTime(created.value, limitsOf(request.user))) : err(mistake);
};

const describeMistake = ({ field, message, type }: JobRequestError, place: ReturnType<Locate>): Refusal =>
  createInvalid([{ loc: ["body", ...place, field], msg: message, type }]);

const drawBatchId = ({ store, newJobId }: SubmitContext): string => {
  let id = newJobId();
  while (store.outbox.findBatch(id) !== null) id = newJobId();
  return id;
};

const prepareJobs = (
  context: SubmitContext,
  requests: readonly JobRequest[],
  { reading, locate, caller }: Readonly<{ reading: GpuReading; locate: Locate; caller: Caller }>,
): Result<readonly Submission[], Refusal> => {
  const batch = requests.length > 1 ? { batchId: drawBatchId(context) } : {};
  const facts = { reading, agent: caller.agent, asker: caller, ...batch };
  const submissions: Submission[] = [];
  for (const [index, request] of requests.entries()) {
    const job = prepareJob(context, request, facts);
    if (!job.ok) return err(describeMistake(job.error, locate(index)));
    submissions.push({ request, job: job.value, leastGpus: countLeast(job.value, reading.ok ? reading.value : []) });
  }
  const mistake = findBatchMistake(submissions.map(({ job }) => job));
  return mistake === null ? ok(submissions) : err(describeMistake(mistake, locate(mistake.index)));
};

const store = async (
  context: SubmitContext,
  submissions: readonly Submission[],
): Promise<Result<Submitted, Refusal>> => {
  const written = await context.store.write((transaction) => placeJobs(transaction, submissions, context));
  return written.ok ? written.value : err(createUnavailable(written.error));
};

const listNewRunNow = (context: SubmitContext, submissions: readonly Submission[]): readonly QueuedJob[] =>
  submissions.filter(({ request }) => request.run_immediately && !isStored(context, request)).map(({ job }) => job);

const storeRunNow = async (
  context: SubmitContext,
  submissions: readonly Submission[],
  reading: GpuReading,
): Promise<Result<Submitted, Refusal>> => {
  const disk = await context.readDiskRoom();
  const now = context.clock();
  const [drain, reserves] = [findDrain(context.store.readDrains(), now), readReserves(context, now)];
  const check = checkRunNow(
    context.store,
    { ...context.settings, gpus: reading, drain, reserves, disk, trouble: context.trouble.read() },
    listNewRunNow(context, submissions),
  );
  return check.ok ? store(context, submissions) : check;
};

const announce = (context: SubmitContext, { created, ended }: Submitted, { log, name }: Caller): void => {
  const { meter, wakes } = context;
  if (created.length === 0) return;
  wakes.queues();
  meter.countSubmitted(created.length);
  for (const job of created) {
    log.info("job changed", describeChange({ before: null, after: job, reason: `submitted by ${name}` }));
  }
  for (const one of ended) recordChange(context, one);
};

const readGpus = async ({ gpus }: SubmitContext, requests: readonly JobRequest[]): Promise<GpuReading> =>
  requests.some(needsGpus) ? gpus.read() : err({ message: "not read" });

const storeInTurn = (
  context: SubmitContext,
  submissions: readonly Submission[],
  reading: GpuReading,
  takeTurn: Turnstile,
): Promise<Result<Submitted, Refusal>> =>
  submissions.some(({ request }) => request.run_immediately)
    ? takeTurn(() => storeRunNow(context, submissions, reading))
    : store(context, submissions);

export const createSubmitJobs = (outer: SubmitContext): SubmitJobs => {
  const context = { ...outer, clock: createIncreasingClock(outer.clock, outer.store.readNewestQueued) };
  const takeTurn = createTurnstile();
  return async (requests, locate, caller) => {
    const reading = await readGpus(context, requests);
    const submissions = prepareJobs(context, requests, { reading, locate, caller });
    if (!submissions.ok) return submissions;
    const submitted = await storeInTurn(context, submissions.value, reading, takeTurn);
    if (submitted.ok) announce(context, submitted.value, caller);
    return submitted;
  };
};
