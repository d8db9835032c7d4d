import { describeRetry, listPast } from "./attempt.ts";
import { describeHalt } from "./halt.ts";
import { isEnded, type Job } from "./job.ts";
import type { JobEvent } from "./job-transition.ts";
import { describeToldStall } from "./stall.ts";

/** `before` is null when the job is new, `after` when it is gone. */
export type JobChange = Readonly<{ before: Job | null; after: Job | null; reason: string }>;

const describeLoss = (reason: string, job: Job): string => {
  if (job.status === "failed") return job.errorMessage ?? reason;
  if (job.status !== "killed") return reason;
  return job.killRequestedBy === undefined ? "killed" : `killed by ${job.killRequestedBy}`;
};

const PLAIN_REASONS = {
  start: "its turn has come",
  launch: "launched",
  requeue: "its launch never began",
  warn: "warned of its time limit",
  measure: "measured",
  see_use: "use of its GPUs noted",
  report: "reported",
  give_up: "given up",
  foresee: "its start estimated",
  account: "outputs accounted for",
  edit: "edited",
} as const;

const tellRetry = (after: Job): string | null =>
  after.status === "queued" ? describeRetry(after, listPast(after).length) : null;

/** Why the event led to this job, in a few words. */
export const explainEvent = (event: JobEvent, after: Job): string => {
  switch (event.kind) {
    case "exit":
      return tellRetry(after) ?? (isEnded(after) ? after.errorMessage : null) ?? "finished";
    case "lose":
      return tellRetry(after) ?? describeLoss(event.reason, after);
    case "mark_for_kill":
      return `kill asked for by ${event.by ?? "someone"}`;
    case "abandon":
      return event.reason;
    case "tell_stall":
      return describeToldStall(event.stall, event.told);
    case "halt":
      return describeHalt(event.halt);
    default:
      return PLAIN_REASONS[event.kind];
  }
};

const describeResult = (job: Job | null): Readonly<Record<string, unknown>> => {
  if (job === null || job.status === "queued") return {};
  const gpus = { gpus: job.gpuIdxs };
  return isEnded(job) ? { ...gpus, exit_code: job.exitCode } : gpus;
};

/** The fields of the line that tells of the change. */
export const describeChange = ({ before, after, reason }: JobChange): Readonly<Record<string, unknown>> => ({
  job_id: (after ?? before)?.id,
  user: (after ?? before)?.user,
  from: before?.status ?? null,
  to: after?.status ?? null,
  ...describeResult(after),
  reason,
});
