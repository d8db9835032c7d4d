import { err, ok, type Result } from "../../../base/result.ts";
import { listPast } from "../../core/jobs/attempt.ts";
import { isEnded, type Job } from "../../core/jobs/job.ts";
import { listAttempts } from "../../core/jobs/job-attempts.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { LogFile, LogReads } from "../../core/running/executor.ts";

/** The log of one attempt; `startedAt` is null before that has begun. */
export type AttemptLog = Readonly<{ logs: LogReads; number: number; startedAt: number | null }>;

const describeCount = (job: Job, count: number): string =>
  `Job ${job.id} has ${count === 0 ? "not run yet" : `${count} ${count === 1 ? "attempt" : "attempts"}`}`;

/** Nothing where no attempt is asked for, or one that there is. */
export const checkAttempt = (job: Job, asked: number | undefined): Refusal | null => {
  const count = listAttempts(job).length;
  return asked !== undefined && asked > count ? createRefusal("NOT_FOUND", describeCount(job, count)) : null;
};

/** Of the attempt asked for, or of the newest. With `mayCome` also of the next of a job that waits for it. */
export const findAttemptLog = (
  logs: LogFile,
  job: Job,
  { asked, mayCome = false }: Readonly<{ asked: number | undefined; mayCome?: boolean }>,
): Result<AttemptLog, Refusal> => {
  const attempts = listAttempts(job);
  const isComing = mayCome && job.status === "queued" && asked === attempts.length + 1;
  const refusal = isComing ? null : checkAttempt(job, asked);
  if (refusal !== null) return err(refusal);
  const number = asked ?? Math.max(1, attempts.length);
  const startedAt = attempts[number - 1]?.started_at ?? null;
  return ok({ logs: listPast(job).length === 0 ? logs : logs.ofAttempt(number), number, startedAt });
};

/** Nothing more comes to the log of the attempt. */
export const isAttemptOver = (job: Job, attempt: number): boolean => isEnded(job) || listPast(job).length >= attempt;

/** No other attempt comes after it. */
export const isLastAttempt = (job: Job, attempt: number): boolean =>
  isEnded(job) && listAttempts(job).length <= attempt;
