import { describeError } from "../../shared/describe-error.ts";
import { type ActiveJob, isEnded } from "../core/job.ts";
import type { JobEvent } from "../core/job-transition.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { explainFailure } from "./explain-failure.ts";

const forgetJob = (memory: SchedulerMemory, job: ActiveJob): void => {
  memory.watches.get(job.id)?.();
  memory.watches.delete(job.id);
  memory.killedSince.delete(job.id);
};

const removeRepo = async ({ jobDirectory, log, onStep }: SchedulerContext, { id }: ActiveJob): Promise<void> => {
  try {
    await jobDirectory.removeRepo(id);
    onStep?.("repo removed");
  } catch (error) {
    log.warn("a job's folder could not be removed", { job: id, error: describeError(error) });
  }
};

/**
 * Writes what ends the job, or takes its start back. What the job left in its folder goes even when its end can't be written: it may be what fills the disk. It goes
 * meanwhile, whatever its size: no other job waits for that.
 */
export const finishJob = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  ending: Readonly<{ job: ActiveJob; event: JobEvent }>,
): Promise<void> => {
  context.onStep?.("end seen");
  const event = await explainFailure(context, ending.job, ending.event);
  const changed = await changeJob(context, ending.job.id, event);
  logFailure(context, ending.job.id, changed);
  if (changed.ok && !isEnded(changed.value)) return;
  context.onStep?.("end written");
  if (changed.ok) forgetJob(memory, ending.job);
  if (changed.ok || event.kind !== "requeue") void removeRepo(context, ending.job);
};
