import type { RunningJob } from "../core/job.ts";
import type { WandbFinder } from "../core/ports.ts";
import { awaitsWandbRun } from "../core/wandb-window.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext } from "./context.ts";

const listAwaiting = ({ store, clock }: SchedulerContext): readonly RunningJob[] =>
  store.loadActiveJobs().flatMap((job) => (job.status === "running" && awaitsWandbRun(job, clock()) ? [job] : []));

/** Looks for the W&B run of each job that may have one by now; returns in how many milliseconds to look again. */
export const findWandbRuns = async (context: SchedulerContext, wandb: WandbFinder): Promise<number> => {
  for (const job of listAwaiting(context)) {
    const wandbUrl = await wandb.find(job, context.store.loadEnvironment(job.id));
    if (wandbUrl === null) continue;
    logFailure(context, job.id, await changeJob(context, job.id, { kind: "report", reports: { wandbUrl } }));
  }
  return context.settings.refreshRate * 1000;
};
