import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { WireEstimate } from "../../../wire/wait.ts";
import type { BootTime } from "../clock.ts";
import { isForAnyTime, type JobFields } from "./fields/job-fields.ts";
import { keepHold } from "./fields/waits.ts";
import { addUse, type SeenUse } from "./gpu-use.ts";
import { type Halt, isStopping } from "./halt.ts";
import {
  type ActiveJob,
  isActive,
  isEnded,
  type Job,
  type JobHandle,
  type JobStatus,
  type Launch,
  type Outputs,
  type QueuedJob,
  type Reports,
} from "./job.ts";
import {
  abandonJob,
  addNotes,
  beginReports,
  type Exit,
  exitJob,
  giveUpJob,
  type Loss,
  loseJob,
  requeueJob,
} from "./job-end.ts";
import type { Stall, ToldStall } from "./stall.ts";

export type JobEvent =
  | (Readonly<{ kind: "start"; at: number; begunAt?: BootTime }> &
      Pick<Launch, "gpuIdxs" | "bookedGpus" | "bookedCpus" | "dir">)
  | Readonly<{ kind: "launch"; handle: JobHandle }>
  | Readonly<{ kind: "requeue"; at: number }>
  | (Readonly<{ kind: "exit" }> & Exit)
  | (Readonly<{ kind: "lose" }> & Loss)
  | Readonly<{ kind: "give_up"; at: number }>
  | Readonly<{ kind: "abandon"; at: number; reason: string }>
  | Readonly<{ kind: "mark_for_kill"; by?: string }>
  | Readonly<{ kind: "halt"; halt: Halt }>
  | Readonly<{ kind: "warn" }>
  | Readonly<{ kind: "measure"; vramPeakMib: number; isOverBooked: boolean }>
  | Readonly<{ kind: "see_use"; use: SeenUse }>
  | Readonly<{ kind: "tell_stall"; stall: Stall; told: ToldStall }>
  | Readonly<{ kind: "report"; reports: Partial<Reports>; notes?: readonly string[] }>
  | Readonly<{ kind: "account"; outputs: Partial<Outputs>; notes?: readonly string[] }>
  | Readonly<{ kind: "foresee"; estimate: WireEstimate }>
  | Readonly<{
      kind: "edit";
      command?: string | undefined;
      priority?: number | undefined;
      numGpus?: number | undefined;
      gitTag?: string | undefined;
      spec?: Partial<Pick<QueuedJob, "numGpus" | "requestedGpuIdxs" | "envNames" | "carriedNames">>;
      fields?: JobFields;
    }>;

type EventKind = JobEvent["kind"];

/** From a status, each event that may happen to it and the statuses that it may lead to. */
export const TRANSITIONS: Readonly<Record<JobStatus, Readonly<Partial<Record<EventKind, readonly JobStatus[]>>>>> = {
  queued: { start: ["starting"], foresee: ["queued"], edit: ["queued"], give_up: ["killed"], abandon: ["failed"] },
  starting: {
    launch: ["running"],
    requeue: ["queued", "killed"],
    exit: ["completed", "failed", "queued"],
    lose: ["failed", "killed", "queued"],
    mark_for_kill: ["starting"],
  },
  running: {
    requeue: ["queued", "killed"],
    exit: ["completed", "failed", "queued"],
    lose: ["failed", "killed", "queued"],
    mark_for_kill: ["running"],
    halt: ["running"],
    warn: ["running"],
    measure: ["running"],
    see_use: ["running"],
    tell_stall: ["running"],
    report: ["running"],
  },
  completed: { report: ["completed"], account: ["completed"] },
  failed: { report: ["failed"], account: ["failed"] },
  killed: { report: ["killed"], account: ["killed"] },
};

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
  event.spec === undefined &&
  isForAnyTime(event.fields ?? {}, isActive(job));

const isMisfit = (job: Job, event: JobEvent): boolean =>
  event.kind === "give_up" ? job.past === undefined : event.kind === "start" && event.gpuIdxs.length !== job.numGpus;

const accountFor = (job: Job, { outputs, notes = [] }: Extract<JobEvent, { kind: "account" }>): Job =>
  isEnded(job) ? { ...addNotes(job, notes), outputs: { ...job.outputs, ...outputs } } : job;

const editJob = (job: Job, event: Extract<JobEvent, { kind: "edit" }>): Job => ({
  ...job,
  command: event.command ?? job.command,
  priority: event.priority ?? job.priority,
  numGpus: event.numGpus ?? job.numGpus,
  requestedGpuIdxs: event.numGpus === undefined || event.numGpus === job.numGpus ? job.requestedGpuIdxs : [],
  gitTag: event.gitTag ?? job.gitTag,
  ...(job.estimate && !mayEdit(job, event) ? { estimate: null } : {}),
  ...event.spec,
  ...keepHold(job, event.fields ?? {}),
});

const startJob = (job: Job, event: Extract<JobEvent, { kind: "start" }>): Job => {
  if (job.status !== "queued") return job;
  const { kind: _kind, at, ...launch } = event;
  return { ...job, status: "starting", startedAt: at, markedForKill: false, ...launch };
};

type Mark = Extract<JobEvent, { kind: "mark_for_kill" | "halt" | "warn" | "measure" | "see_use" | "tell_stall" }>;

const markJob = (job: Job, event: Mark): Job => {
  if (!isActive(job)) return job;
  switch (event.kind) {
    case "mark_for_kill":
      return { ...job, markedForKill: true, ...(event.by === undefined ? {} : { killRequestedBy: event.by }) };
    case "halt":
      return isStopping(job) ? job : { ...job, halt: event.halt };
    case "warn":
      return { ...job, isWarned: true };
    case "measure":
      return { ...job, vramPeakMib: event.vramPeakMib, ...(event.isOverBooked ? { isOverBooked: true } : {}) };
    case "see_use":
      return { ...job, gpuUse: addUse(job.gpuUse, event.use) };
    case "tell_stall":
      return { ...job, toldStalls: { ...job.toldStalls, [event.stall]: event.told } };
  }
};

type Amendment = Extract<JobEvent, Mark | Readonly<{ kind: "report" | "account" | "foresee" | "edit" }>>;

const amendJob = (job: Job, event: Amendment): Job => {
  switch (event.kind) {
    case "report":
      return job.status === "running" || isEnded(job) ? { ...addNotes(job, event.notes ?? []), ...event.reports } : job;
    case "account":
      return accountFor(job, event);
    case "foresee":
      return { ...job, estimate: event.estimate };
    case "edit":
      return editJob(job, event);
    default:
      return markJob(job, event);
  }
};

type Move = Extract<JobEvent, Readonly<{ kind: "launch" | "requeue" | "exit" | "lose" }>>;

const moveActive = (job: ActiveJob, event: Move): Job => {
  switch (event.kind) {
    case "launch":
      return { ...beginReports(job), ...job, status: "running", handle: event.handle };
    case "requeue":
      return requeueJob(job, event.at);
    case "exit":
      return exitJob(job, event);
    case "lose":
      return loseJob(job, event);
  }
};

const moveJob = (job: Job, event: JobEvent): Job => {
  switch (event.kind) {
    case "start":
      return startJob(job, event);
    case "give_up":
      return (job.status === "queued" ? giveUpJob(job, event.at) : null) ?? job;
    case "abandon":
      return job.status === "queued" ? abandonJob(job, event) : job;
    case "launch":
    case "requeue":
    case "exit":
    case "lose":
      return isActive(job) ? moveActive(job, event) : job;
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
