import { describeError } from "../../../base/describe-error.ts";
import { err, type Result } from "../../../base/result.ts";
import { describeDrain } from "../../../wire/drain/drain-text.ts";
import { changeJob, type Decide, decideByEvent } from "../../changes/change-job.ts";
import { readReserves } from "../../changes/read-reserves.ts";
import type { Job, JobHandle, QueuedJob, StartingJob } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import { bookGpus } from "../../core/queue/booked-gpus.ts";
import { findHostLack, NO_HOST_RULES, readHostPart, takeFrom } from "../../core/queue/booking/host-part.ts";
import { findDrain } from "../../core/queue/drain.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { findBatchReached } from "../../core/queue/limits/batch-limit.ts";
import type { Start } from "../../core/queue/queue-turns.ts";
import { findReserveOf } from "../../core/queue/reservations/reservation.ts";
import { describeReserve } from "../../core/queue/reservations/reservation-text.ts";
import { findReached, NO_LIMITS } from "../../core/queue/user-limits.ts";
import { createRefusal } from "../../core/refusal.ts";
import type { JobWork, LaunchError } from "../../core/running/executor.ts";
import { nameDevices } from "../../core/running/job-devices.ts";
import { buildJobEnvironment } from "../../core/running/job-environment.ts";
import type { Transaction } from "../../core/store.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";
import { explainFailure } from "./explain-failure.ts";

const gatherWork = (context: TaskContext, job: StartingJob, gpus: readonly Gpu[]): JobWork => ({
  environment: buildJobEnvironment(context.serverEnvironment, job, gpus, context.store.loadEnvironment(job.id)),
  devices: nameDevices(gpus),
  artifact: job.artifactId === null ? null : context.store.artifacts.read(job.artifactId),
  input: job.inputId === undefined ? null : context.store.artifacts.read(job.inputId),
});

const tryLaunch = async (
  context: TaskContext,
  job: StartingJob,
  gpus: readonly Gpu[],
): Promise<Result<JobHandle, LaunchError>> => {
  try {
    return await context.executor.launch(job, gatherWork(context, job, gpus));
  } catch (error) {
    return err({ message: `Could not prepare the job: ${describeError(error)}` });
  }
};

const failLaunch = async (context: TaskContext, job: StartingJob, message: string): Promise<void> => {
  const hasWork = await context.outputs.holdsWork(job.id);
  const event = { kind: "lose", at: context.clock(), reason: message, hasWork } as const;
  await changeByEvent(context, job.id, explainFailure(event, []));
  if (!hasWork) await context.jobDirectory.removeRepo(job.id);
};

const postpone = async (
  { log, settings, trouble }: TaskContext,
  job: StartingJob,
  { message }: LaunchError,
): Promise<void> => {
  log.warn("job can't start yet", { job_id: job.id, message });
  if ((await trouble.find()) !== null) return;
  await new Promise((resolve) => setTimeout(resolve, settings.refreshRate * 1000).unref());
};

type StartEvent = Extract<JobEvent, { kind: "start" }>;

const describeHalt = (context: TaskContext, job: Job, { at, gpuIdxs }: StartEvent): string | null => {
  const drain = findDrain(context.store.readDrains(), at);
  if (drain !== null) return describeDrain(drain);
  const reserve = findReserveOf(job, gpuIdxs, readReserves(context, at));
  return reserve === null ? null : `A GPU ${describeReserve(reserve)}`;
};

const describeLack = (
  { settings }: TaskContext,
  { readHostUse }: Transaction,
  job: Parameters<typeof readHostPart>[0],
): string | null => {
  const { whole } = settings.host ?? NO_HOST_RULES;
  const isLacking = findHostLack(readHostPart(job), takeFrom(whole, readHostUse())) !== null;
  return isLacking ? "Other jobs have booked CPUs or memory meanwhile" : null;
};

const decideStart =
  (context: TaskContext, decided: QueuedJob, event: StartEvent): Decide =>
  (job, transaction) => {
    const { limitsOf = NO_LIMITS } = context.settings;
    if (findReached(event.bookedGpus ?? job.numGpus, limitsOf(job.user), transaction.readUse(job.user)) !== null)
      return err(createRefusal("LIMIT_REACHED", `Other jobs of ${job.user} have started meanwhile`));
    if (findBatchReached(job, transaction.countActiveOf) !== null)
      return err(createRefusal("LIMIT_REACHED", `Other jobs of @${job.batchId} have started meanwhile`));
    const halt = describeHalt(context, job, event) ?? describeLack(context, transaction, { ...job, ...event });
    if (halt !== null) return err(createRefusal("GPU_ERROR", halt));
    return JSON.stringify(job) === JSON.stringify(decided)
      ? decideByEvent(event)(job, transaction)
      : err(createRefusal("INVALID_JOB_STATE", `Job ${job.id} was changed`));
  };

/** Writes the intent. Null when the job was edited or removed since the decision: it is left for the next tick. */
export const recordStart = async (
  context: TaskContext,
  { job, gpuIdxs, gpus, ...booked }: Start & Readonly<{ gpus: readonly Gpu[] }>,
): Promise<StartingJob | null> => {
  const [at, begunAt, dir] = [context.clock(), context.readBootTime(), context.jobDirectory.pathOf(job.id)];
  const event = { kind: "start", at, begunAt, gpuIdxs, dir, ...booked, ...bookGpus(job, gpus) } as const;
  const started = await changeJob(context, job.id, decideStart(context, job, event));
  context.onStep?.("start written");
  const after = started.ok ? started.value.after : null;
  return after?.status === "starting" ? after : null;
};

/** Acts on an intent that is on disk and writes the outcome; `gpus` are those that the job was given. A job that can't start yet is left starting, for a while unless the machine starts none at all: then it is found unstarted, and queued again. */
export const launchJob = async (context: TaskContext, job: StartingJob, gpus: readonly Gpu[]): Promise<void> => {
  const launched = await tryLaunch(context, job, gpus);
  if (!launched.ok)
    return launched.error.isTemporary
      ? postpone(context, job, launched.error)
      : failLaunch(context, job, launched.error.message);
  await changeByEvent(context, job.id, { kind: "launch", handle: launched.value });
  context.onStep?.("launch written");
};
