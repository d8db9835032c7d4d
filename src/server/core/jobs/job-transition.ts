import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { BootTime } from "../clock.ts";
import { describeExit } from "./exit-code.ts";
import { isForAnyTime, type JobFields } from "./fields/job-fields.ts";
import { describeHalt, type Halt, isStopping } from "./halt.ts";
import {
  type EndedJob,
  isActive,
  isEnded,
  type Job,
  type JobHandle,
  type JobStatus,
  NO_OUTPUTS,
  type Outputs,
  type Reports,
} from "./job.ts";

type Work = Readonly<{ hasWork?: boolean }>;

/** `reason` is all that there is to say of an exit, `hint` one sentence more. `hasWork`: the job's command had started, so its folder may hold what it made. */
export type JobEvent =
  | Readonly<{ kind: "start"; at: number; gpuIdxs: readonly number[]; dir: string; begunAt?: BootTime }>
  | Readonly<{ kind: "launch"; handle: JobHandle }>
  | Readonly<{ kind: "requeue"; at: number }>
  | (Readonly<{
      kind: "exit";
      at: number;
      exitCode: number;
      hint?: string | null;
      reason?: string;
      notes?: readonly string[];
    }> &
      Work)
  | (Readonly<{ kind: "lose"; at: number; reason: string }> & Work)
  | Readonly<{ kind: "mark_for_kill"; by?: string }>
  | Readonly<{ kind: "halt"; halt: Halt }>
  | Readonly<{ kind: "warn" }>
  | Readonly<{ kind: "report"; reports: Partial<Reports>; notes?: readonly string[] }>
  | Readonly<{ kind: "account"; outputs: Partial<Outputs>; notes?: readonly string[] }>
  | Readonly<{
      kind: "edit";
      command?: string | undefined;
      priority?: number | undefined;
      numGpus?: number | undefined;
      gitTag?: string | undefined;
      fields?: JobFields;
    }>;

type EventKind = JobEvent["kind"];

/** From a status, each event that may happen to it and the statuses that it may lead to. */
export const TRANSITIONS: Readonly<Record<JobStatus, Readonly<Partial<Record<EventKind, readonly JobStatus[]>>>>> = {
  queued: { start: ["starting"], edit: ["queued"] },
  starting: {
    launch: ["running"],
    requeue: ["queued", "killed"],
    exit: ["completed", "failed"],
    lose: ["failed", "killed"],
    mark_for_kill: ["starting"],
  },
  running: {
    requeue: ["queued", "killed"],
    exit: ["completed", "failed"],
    lose: ["failed", "killed"],
    mark_for_kill: ["running"],
    halt: ["running"],
    warn: ["running"],
    report: ["running"],
  },
  completed: { report: ["completed"], account: ["completed"] },
  failed: { report: ["failed"], account: ["failed"] },
  killed: { report: ["killed"], account: ["killed"] },
};

const NO_REPORTS: Reports = { wandbUrl: null, notificationMessages: {} };

const ADVICE: Readonly<Partial<Record<EventKind, string>>> = {
  edit: "only a queued job can be edited",
  mark_for_kill: "only a running job can be killed",
};

const refuse = (job: Job, event: JobEvent): Result<never, Problem> => {
  const status = job.status === "starting" ? "running" : job.status;
  const advice = ADVICE[event.kind] ?? `it can't ${event.kind.replaceAll("_", " ")}`;
  return err({ message: `Job ${job.id} is ${status}: ${advice}` });
};

const mayEdit = (job: Job, event: JobEvent): boolean =>
  event.kind === "edit" &&
  event.command === undefined &&
  event.priority === undefined &&
  event.numGpus === undefined &&
  isForAnyTime(event.fields ?? {}, isActive(job));

const isMisfit = (job: Job, event: JobEvent): boolean => event.kind === "start" && event.gpuIdxs.length !== job.numGpus;

const endJob = (
  job: Extract<Job, { status: "starting" | "running" }>,
  { hasWork, ...outcome }: Pick<EndedJob, "status" | "completedAt" | "exitCode" | "errorMessage"> & Required<Work>,
): EndedJob => {
  const completedAt = Math.max(outcome.completedAt, job.startedAt);
  const outputs = hasWork ? { ...NO_OUTPUTS, state: "moving" as const } : NO_OUTPUTS;
  return { ...NO_REPORTS, handle: null, ...job, ...outcome, completedAt, outputs };
};

const addNotes = <Noted extends Job>(job: Noted, notes: readonly string[]): Noted => ({
  ...job,
  notes: [...new Set([...job.notes, ...notes])],
});

const exitJob = (job: Job, event: Extract<JobEvent, { kind: "exit" }>): Job => {
  if (!isActive(job)) return job;
  const errorMessage = event.exitCode === 0 ? null : (event.reason ?? describeExit(event.exitCode, event.hint));
  const status = event.exitCode === 0 ? "completed" : "failed";
  const { at: completedAt, exitCode, hasWork = false, notes = [] } = event;
  return endJob(addNotes(job, notes), { status, completedAt, exitCode, errorMessage, hasWork });
};

const loseJob = (job: Job, event: Extract<JobEvent, { kind: "lose" }>): Job => {
  if (!isActive(job)) return job;
  const { at: completedAt, hasWork = false } = event;
  const end = { completedAt, exitCode: null, hasWork };
  if (job.halt !== undefined) return endJob(job, { ...end, status: "failed", errorMessage: describeHalt(job.halt) });
  return job.markedForKill
    ? endJob(job, { ...end, status: "killed", errorMessage: null })
    : endJob(job, { ...end, status: "failed", errorMessage: event.reason });
};

const accountFor = (job: Job, { outputs, notes = [] }: Extract<JobEvent, { kind: "account" }>): Job =>
  isEnded(job) ? { ...addNotes(job, notes), outputs: { ...job.outputs, ...outputs } } : job;

const requeueJob = (job: Job, at: number): Job => {
  if (!isActive(job)) return job;
  if (isStopping(job)) return loseJob(job, { kind: "lose", at, reason: "Killed before it started" });
  const { startedAt: _startedAt, gpuIdxs: _gpuIdxs, dir: _dir, markedForKill: _marked, ...rest } = job;
  const { killRequestedBy: _by, begunAt: _begun, halt: _halt, isWarned: _warned, ...spec } = rest;
  if (!("handle" in spec)) return { ...spec, status: "queued" };
  const { handle: _handle, wandbUrl: _url, wandbNote: _note, notificationMessages: _messages, ...told } = spec;
  const { inputSince: _since, ...unlaunched } = told;
  return { ...unlaunched, status: "queued" };
};

const editJob = (job: Job, event: Extract<JobEvent, { kind: "edit" }>): Job => ({
  ...job,
  command: event.command ?? job.command,
  priority: event.priority ?? job.priority,
  numGpus: event.numGpus ?? job.numGpus,
  requestedGpuIdxs: event.numGpus === undefined || event.numGpus === job.numGpus ? job.requestedGpuIdxs : [],
  gitTag: event.gitTag ?? job.gitTag,
  ...event.fields,
});

const startJob = (job: Job, event: Extract<JobEvent, { kind: "start" }>): Job => {
  if (job.status !== "queued") return job;
  const { at, gpuIdxs, dir, begunAt } = event;
  const begun = begunAt === undefined ? {} : { begunAt };
  return { ...job, status: "starting", startedAt: at, gpuIdxs, dir, markedForKill: false, ...begun };
};

type Mark = Extract<JobEvent, { kind: "mark_for_kill" | "halt" | "warn" }>;

const markJob = (job: Job, event: Mark): Job => {
  if (!isActive(job)) return job;
  switch (event.kind) {
    case "mark_for_kill":
      return { ...job, markedForKill: true, ...(event.by === undefined ? {} : { killRequestedBy: event.by }) };
    case "halt":
      return isStopping(job) ? job : { ...job, halt: event.halt };
    case "warn":
      return { ...job, isWarned: true };
  }
};

type Amendment = Extract<JobEvent, Mark | Readonly<{ kind: "report" | "account" | "edit" }>>;

const amendJob = (job: Job, event: Amendment): Job => {
  switch (event.kind) {
    case "report":
      return job.status === "running" || isEnded(job) ? { ...addNotes(job, event.notes ?? []), ...event.reports } : job;
    case "account":
      return accountFor(job, event);
    case "edit":
      return editJob(job, event);
    default:
      return markJob(job, event);
  }
};

const moveJob = (job: Job, event: JobEvent): Job => {
  switch (event.kind) {
    case "start":
      return startJob(job, event);
    case "launch":
      return job.status === "starting" ? { ...NO_REPORTS, ...job, status: "running", handle: event.handle } : job;
    case "requeue":
      return requeueJob(job, event.at);
    case "exit":
      return exitJob(job, event);
    case "lose":
      return loseJob(job, event);
    default:
      return amendJob(job, event);
  }
};

/** The only function that changes a job. It refuses what the table does not allow, and a start on too few or many GPUs. */
export const applyJobEvent = (job: Job, event: JobEvent): Result<Job, Problem> => {
  if (mayEdit(job, event)) return ok(moveJob(job, event));
  const isAllowed = TRANSITIONS[job.status][event.kind] !== undefined && !isMisfit(job, event);
  return isAllowed ? ok(moveJob(job, event)) : refuse(job, event);
};
