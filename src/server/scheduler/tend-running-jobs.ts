import type { ActiveJob } from "../core/job.ts";
import { decideActions } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { finishJob } from "./finish-job.ts";
import { killJobs } from "./kill-jobs.ts";
import { selectActions, takeSnapshot } from "./snapshot.ts";

const LAST_PROCESSES_RETRY_MS = 20;

const listTended = (context: SchedulerContext, memory: SchedulerMemory): readonly ActiveJob[] =>
  context.store.loadActiveJobs().filter((job) => !memory.launching.has(job.id));

/** Ends the jobs that have ended and kills those that must be; returns in how many milliseconds to look again. */
export const tendRunningJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  wakeQueue: () => void,
): Promise<number> => {
  const observations = await context.executor.probe(listTended(context, memory));
  const actions = decideActions(takeSnapshot(context, memory, { observations }), context.clock());
  const endings = selectActions(actions, "finish");
  await killJobs(context, memory, selectActions(actions, "kill"));
  await Promise.all(endings.map((ending) => finishJob(context, memory, ending)));
  if (endings.length > 0) wakeQueue();
  return memory.killedSince.size > 0 ? LAST_PROCESSES_RETRY_MS : context.settings.refreshRate * 1000;
};
