import type { ActiveJob, JobId } from "../../core/jobs/job.ts";
import { describeChange } from "../../core/jobs/job-change.ts";
import type { Observation } from "../../core/running/executor.ts";
import { decideEndings } from "../../core/running/job-ending.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { finishJobs } from "./finish-job.ts";

const logKept = (
  { log }: TaskContext,
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
): void => {
  for (const job of jobs) {
    if (job.status !== "running" || observations.get(job.id)?.kind !== "alive") continue;
    log.info("job kept", describeChange({ before: job, after: job, reason: "adopted at restart: its session lives" }));
  }
};

/** Finds out what became of each job that was active when the last server ended; run before the first tick. */
export const restoreJobs = async (context: TaskContext, memory: TaskMemory): Promise<void> => {
  const jobs = context.store.loadActiveJobs();
  const observations = await context.executor.probe(jobs);
  context.onStep?.("jobs probed");
  const facts = { now: context.clock(), killedSince: new Map() };
  const { endings } = decideEndings(jobs, observations, facts);
  logKept(context, jobs, observations);
  await finishJobs(context, memory, endings);
};
