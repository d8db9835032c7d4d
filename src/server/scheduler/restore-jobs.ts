import type { ActiveJob, JobId } from "../core/job.ts";
import { describeChange } from "../core/job-change.ts";
import type { Observation } from "../core/ports.ts";
import { planRestart } from "../core/restart.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { isSettling, settleJob } from "./settle-job.ts";

const logKept = (
  { log }: SchedulerContext,
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
): void => {
  for (const job of jobs) {
    if (job.status !== "running" || observations.get(job.id)?.kind !== "alive") continue;
    log.info("job kept", describeChange({ before: job, after: job, reason: "adopted at restart: its session lives" }));
  }
};

/** Finds out what became of each job that was active when the last server ended; run before the first tick. */
export const restoreJobs = async (context: SchedulerContext, memory: SchedulerMemory): Promise<void> => {
  const jobs = context.store.loadActiveJobs();
  const observations = await context.executor.probe(jobs);
  context.onStep?.("jobs probed");
  const actions = planRestart(jobs, observations, context.clock()).filter(isSettling);
  logKept(context, jobs, observations);
  await Promise.all(actions.map((action) => settleJob(context, memory, action)));
};
