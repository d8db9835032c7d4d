import { planRestart } from "../core/restart.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { isSettling, settleJob } from "./settle-job.ts";

/** Finds out what became of each job that was active when the last server ended; run before the first tick. */
export const restoreJobs = async (context: SchedulerContext, memory: SchedulerMemory): Promise<void> => {
  const jobs = context.store.loadActiveJobs();
  const observations = await context.executor.probe(jobs);
  const actions = planRestart(jobs, observations, context.clock()).filter(isSettling);
  await Promise.all(actions.map((action) => settleJob(context, memory, action)));
};
