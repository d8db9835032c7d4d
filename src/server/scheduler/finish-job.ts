import type { ActiveJob } from "../core/job.ts";
import type { JobEvent } from "../core/job-transition.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { explainFailure } from "./explain-failure.ts";

const forgetJob = (memory: SchedulerMemory, job: ActiveJob): void => {
  memory.watches.get(job.id)?.();
  memory.watches.delete(job.id);
  memory.killedSince.delete(job.id);
};

/** What the job left in its folder goes even when its end can't be written: it may be what fills the disk. */
export const finishJob = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  ending: Readonly<{ job: ActiveJob; event: JobEvent }>,
): Promise<void> => {
  const event = await explainFailure(context, ending.job, ending.event);
  const changed = await changeJob(context, ending.job.id, event);
  logFailure(context, ending.job.id, changed);
  if (changed.ok) forgetJob(memory, ending.job);
  await context.jobDirectory.removeRepo(ending.job.id);
};
