import { describeError } from "../../../base/describe-error.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import type { WandbFinder } from "../../core/running/executor.ts";
import { awaitsWandbRun } from "../../core/running/wandb-window.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

const listAwaiting = ({ store, clock }: TaskContext): readonly RunningJob[] =>
  store.loadActiveJobs().flatMap((job) => (job.status === "running" && awaitsWandbRun(job, clock()) ? [job] : []));

const findRun = async (context: TaskContext, wandb: WandbFinder, job: RunningJob): Promise<void> => {
  const reports = await wandb.find(job, context.store.loadEnvironment(job.id));
  if (reports !== null) await changeByEvent(context, job.id, { kind: "report", reports });
};

const tryFindRun = async (context: TaskContext, wandb: WandbFinder, job: RunningJob): Promise<void> => {
  try {
    await findRun(context, wandb, job);
  } catch (error) {
    const message = describeError(error);
    context.log.error("W&B run could not be looked for", { job_id: job.id, message });
  }
};

/** Looks for the W&B run of each job that may have one by now; returns in how many milliseconds to look again. */
export const findWandbRuns = async (context: TaskContext, wandb: WandbFinder): Promise<number> => {
  await Promise.all(listAwaiting(context).map((job) => tryFindRun(context, wandb, job)));
  return context.settings.refreshRate * 1000;
};
