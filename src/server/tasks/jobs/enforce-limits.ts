import type { ActiveJob, JobId, RunningJob } from "../../core/jobs/job.ts";
import type { Observation } from "../../core/running/executor.ts";
import { countToNextLimit, decideLimits, type TimeFacts } from "../../core/running/time-limit.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

const readTimes = ({ clock, readBootTime }: TaskContext): TimeFacts => ({ now: clock(), boot: readBootTime() });

const warnJobs = async (context: TaskContext, jobs: readonly RunningJob[]): Promise<void> => {
  if (jobs.length === 0) return;
  const changed = await Promise.all(jobs.map(({ id }) => changeByEvent(context, id, { kind: "warn" })));
  context.onStep?.("warning written");
  const warned = await context.executor.warn(changed.filter((job) => job?.status === "running"));
  if (!warned.ok) context.log.error("warning of a time limit failed", { message: warned.error.message });
};

/** Writes down which of the jobs that live are to be ended, and tells those that come near their limit, once. */
export const enforceLimits = async (
  context: TaskContext,
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
): Promise<void> => {
  const { halts, warnings } = decideLimits(jobs, observations, readTimes(context));
  await Promise.all(halts.map(({ job, halt }) => changeByEvent(context, job.id, { kind: "halt", halt })));
  if (halts.length > 0) context.onStep?.("halt written");
  await warnJobs(context, warnings);
};

/** In how many milliseconds the next limit is reached. */
export const countToLimitMs = (context: TaskContext): number =>
  countToNextLimit(context.store.loadActiveJobs(), readTimes(context)) * 1000;
