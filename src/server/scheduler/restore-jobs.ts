import type { Action } from "../core/job-ending.ts";
import { planRestart } from "../core/restart.ts";
import { changeJob, logFailure } from "./change-job.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { finishJob } from "./finish-job.ts";

const carryOut = async (context: SchedulerContext, memory: SchedulerMemory, action: Action): Promise<void> => {
  switch (action.kind) {
    case "adopt":
      return logFailure(
        context,
        action.job.id,
        await changeJob(context, action.job.id, { kind: "launch", handle: action.handle }),
      );
    case "requeue":
      return logFailure(context, action.job.id, await changeJob(context, action.job.id, { kind: "requeue" }));
    case "finish":
      return finishJob(context, memory, action);
    case "start":
    case "kill":
      return;
  }
};

/** Finds out what became of each job that was active when the last server ended; run before the first tick. */
export const restoreJobs = async (context: SchedulerContext, memory: SchedulerMemory): Promise<void> => {
  const jobs = context.store.loadActiveJobs();
  const observations = await context.executor.probe(jobs);
  const actions = planRestart(jobs, observations, context.clock());
  await Promise.all(actions.map((action) => carryOut(context, memory, action)));
};
