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

/** Writes what ends the job, or takes its start back; once it has ended, what only a running job needs is removed. */
export const finishJob = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  ending: Readonly<{ job: ActiveJob; event: JobEvent }>,
): Promise<void> => {
  context.onStep?.("end seen");
  const event = await explainFailure(context, ending.job, ending.event);
  const changed = await changeJob(context, ending.job.id, event);
  logFailure(context, ending.job.id, changed);
  if (!changed.ok || !isEnded(changed.value)) return;
  context.onStep?.("end written");
  forgetJob(memory, ending.job);
  await context.jobDirectory.removeRepo(ending.job.id);
  context.onStep?.("repo removed");
};
