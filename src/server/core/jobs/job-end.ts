import type { RetryCause } from "../../../wire/job-fields/retries.ts";
import { listPast, planRetry } from "./attempt.ts";
import { describeExit } from "./exit-code.ts";
import { addUse, type SeenUse } from "./gpu-use.ts";
import { describeHalt, findHaltCause, type Halt, isStopping } from "./halt.ts";
import { type ActiveJob, type EndedJob, type Job, NO_LAUNCH, NO_OUTPUTS, type QueuedJob, type Reports } from "./job.ts";

type Work = Readonly<{ at: number; hasWork?: boolean; cause?: RetryCause | null; use?: SeenUse | undefined }>;

/** `reason` is all that there is to say of an exit, `hint` one sentence more. `hasWork`: the job's command had started, so its folder may hold what it made. `cause`: of a failure, null for one that another attempt is of no use against. `use`: what its GPUs did that is not written down yet. */
export type Exit = Work &
  Readonly<{ exitCode: number; hint?: string | null; reason?: string; notes?: readonly string[] }>;

export type Loss = Work & Readonly<{ reason: string }>;

type Outcome = Work & Pick<EndedJob, "status" | "exitCode" | "errorMessage">;

const NO_REPORTS: Reports = { wandbUrl: null, notificationMessages: {} };

const findMessages = (job: Job): Reports["notificationMessages"] =>
  ("notificationMessages" in job ? job.notificationMessages : job.past?.messages) ?? {};

/** Of a job that begins to run: what is told of it goes on with what was told of its earlier attempts. */
export const beginReports = (job: Job): Reports => ({ ...NO_REPORTS, notificationMessages: findMessages(job) });

export const addNotes = <Noted extends Job>(job: Noted, notes: readonly string[]): Noted => ({
  ...job,
  notes: [...new Set([...job.notes, ...notes])],
});

const endJob = (job: ActiveJob, { at, hasWork, cause: _cause, use: _use, ...outcome }: Outcome): EndedJob => {
  const completedAt = Math.max(at, job.startedAt);
  const outputs = hasWork ? { ...NO_OUTPUTS, state: "moving" as const } : NO_OUTPUTS;
  return { ...beginReports(job), handle: null, ...job, ...outcome, completedAt, outputs };
};

const takeBack = (job: ActiveJob): QueuedJob => {
  const { startedAt: _startedAt, gpuIdxs: _gpuIdxs, bookedGpus: _booked, dir: _dir, ...begun } = job;
  const { markedForKill: _marked, bookedCpus: _cpus, ...rest } = begun;
  const { killRequestedBy: _by, begunAt: _begun, halt: _halt, isWarned: _warned, isOverBooked: _over, ...told } = rest;
  const { toldStalls: _stalls, ...spec } = told;
  if (!("handle" in spec)) return { ...spec, status: "queued" };
  const { handle: _handle, wandbUrl: _url, wandbNote: _note, notificationMessages: _messages, ...plain } = spec;
  const { inputSince: _since, ...unlaunched } = plain;
  return { ...unlaunched, status: "queued" };
};

const retryJob = (job: ActiveJob, outcome: Outcome, { cause, delayS }: { cause: RetryCause; delayS: number }): Job => {
  const { startedAt, gpuIdxs, bookedGpus, dir } = job;
  const { exitCode, errorMessage: reason, hasWork = false } = outcome;
  const booked = bookedGpus === undefined ? {} : { bookedGpus };
  const endedAt = Math.max(outcome.at, startedAt);
  const attempts = [...listPast(job), { startedAt, endedAt, gpuIdxs, ...booked, exitCode, reason, cause }];
  const past = { attempts, retryAt: endedAt + delayS, dir, hasWork, messages: findMessages(job) };
  const avoidedGpuIdxs = [...new Set([...(job.avoidedGpuIdxs ?? []), ...gpuIdxs])];
  return { ...takeBack(job), past, ...(cause === "gpu" ? { avoidedGpuIdxs } : {}) };
};

const seeUse = <Seen extends Job>(job: Seen, use: SeenUse | undefined): Seen =>
  use === undefined ? job : { ...job, gpuUse: addUse(job.gpuUse, use) };

const finishJob = (unseen: ActiveJob, outcome: Outcome): Job => {
  const job = seeUse(unseen, outcome.use);
  const { status, cause = null } = outcome;
  const delayS = status === "failed" && !job.markedForKill ? planRetry(job, cause) : null;
  return cause === null || delayS === null ? endJob(job, outcome) : retryJob(job, outcome, { cause, delayS });
};

/** Completed or failed as the exit code says; queued again where it is to be tried once more. */
export const exitJob = (job: ActiveJob, { hint, reason, notes = [], ...exit }: Exit): Job => {
  const { exitCode } = exit;
  const noted = addNotes(job, notes);
  if (exitCode === 0) return finishJob(noted, { ...exit, status: "completed", errorMessage: null });
  return finishJob(noted, { ...exit, status: "failed", errorMessage: reason ?? describeExit(exitCode, hint) });
};

const describeHalted = (halt: Halt): Pick<Outcome, "status" | "errorMessage" | "cause"> => ({
  status: "failed",
  errorMessage: describeHalt(halt),
  cause: findHaltCause(halt),
});

/** Of a job whose processes are gone and that left no exit code. */
export const loseJob = (job: ActiveJob, { reason, ...loss }: Loss): Job => {
  const end = { ...loss, exitCode: null };
  if (job.halt !== undefined) return finishJob(job, { ...end, ...describeHalted(job.halt) });
  return job.markedForKill
    ? finishJob(job, { ...end, status: "killed", errorMessage: null })
    : finishJob(job, { ...end, status: "failed", errorMessage: reason });
};

/** Its launch never happened. */
export const requeueJob = (job: ActiveJob, at: number): Job =>
  isStopping(job) ? loseJob(job, { at, reason: "Killed before it started" }) : takeBack(job);

const endUnstarted = (job: QueuedJob, { at, status, exitCode, errorMessage }: Outcome): EndedJob => ({
  ...beginReports(job),
  ...NO_LAUNCH,
  handle: null,
  ...job,
  ...{ status, exitCode, errorMessage, completedAt: at, outputs: NO_OUTPUTS },
});

const endWaiting = (job: QueuedJob, outcome: Outcome): EndedJob => {
  const last = listPast(job).at(-1);
  if (job.past === undefined || last === undefined) return endUnstarted(job, outcome);
  const { startedAt, gpuIdxs } = last;
  const { dir, hasWork } = job.past;
  const ran = {
    ...job,
    ...beginReports(job),
    startedAt,
    gpuIdxs,
    dir,
    markedForKill: false,
    status: "starting",
  } as const;
  return endJob(ran, { ...outcome, hasWork });
};

/** Of a job that waits for another attempt, and is not to have one: it has been killed, with all that it has. Null where it never ran. */
export const giveUpJob = (job: QueuedJob, at: number): EndedJob | null =>
  job.past === undefined ? null : endWaiting(job, { at, status: "killed", exitCode: null, errorMessage: null });

/** Of a job that waits, and will never have what it waits for. */
export const abandonJob = (job: QueuedJob, { at, reason }: Loss): EndedJob =>
  endWaiting(job, { at, status: "failed", exitCode: null, errorMessage: reason });
