import type { BootTime } from "../clock.ts";
import { type Halt, isStopping } from "../jobs/halt.ts";
import type { ActiveJob, JobId, RunningJob } from "../jobs/job.ts";
import type { Observation } from "./executor.ts";

export type TimeFacts = Readonly<{ now: number; boot: BootTime }>;

/** What the time that jobs have run asks for: those to be ended, and those to be told that this is near. */
export type Limited = Readonly<{
  halts: readonly Readonly<{ job: RunningJob; halt: Halt }>[];
  warnings: readonly RunningJob[];
}>;

/** For how long the attempt has run, by the clock that nobody sets where that is the one of its start. */
export const countRunS = ({ begunAt, startedAt }: ActiveJob, { now, boot }: TimeFacts): number =>
  begunAt?.bootId === boot.bootId ? boot.s - begunAt.s : now - startedAt;

const isLimited = (job: ActiveJob): job is RunningJob & Readonly<{ timeLimitS: number }> =>
  job.status === "running" && !isStopping(job) && typeof job.timeLimitS === "number";

const countLeftS = (job: RunningJob & Readonly<{ timeLimitS: number }>, facts: TimeFacts): number =>
  job.timeLimitS - countRunS(job, facts);

const isToBeWarned = ({ isWarned = false, warnS = null }: RunningJob): boolean => !isWarned && warnS !== null;

/** What the limits of the jobs that live ask for. One that runs since before its server knew that clock is measured by the other. */
export const decideLimits = (
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
  facts: TimeFacts,
): Limited => {
  const alive = jobs.filter(isLimited).filter(({ id }) => observations.get(id)?.kind === "alive");
  const [over, within] = [true, false].map((isOver) => alive.filter((job) => countLeftS(job, facts) <= 0 === isOver));
  return {
    halts: (over ?? []).map((job) => ({ job, halt: { cause: "time", limitS: job.timeLimitS } })),
    warnings: (within ?? []).filter((job) => isToBeWarned(job) && countLeftS(job, facts) <= (job.warnS ?? 0)),
  };
};

/** In how many seconds the next limit, or the warning of one, is reached; infinite where none is. */
export const countToNextLimit = (jobs: readonly ActiveJob[], facts: TimeFacts): number =>
  Math.min(
    ...jobs
      .filter(isLimited)
      .map((job) => countLeftS(job, facts) - (isToBeWarned(job) ? Math.min(job.warnS ?? 0, job.timeLimitS) : 0)),
    Number.POSITIVE_INFINITY,
  );
