import type { ActiveJob } from "../core/job.ts";
import type { Wakes } from "../core/ports.ts";
import { decideActions } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { killJobs } from "./kill-jobs.ts";
import { isSettling, settleJob } from "./settle-job.ts";
import { selectActions, takeSnapshot } from "./snapshot.ts";

const FIRST_SECOND_RETRY_MS = 20;
const LATER_RETRY_MS = 250;

const listTended = (context: SchedulerContext, memory: SchedulerMemory): readonly ActiveJob[] =>
  context.store.loadActiveJobs().filter((job) => !memory.launching.has(job.id));

const watchJobs = (
  { executor }: SchedulerContext,
  { watches }: SchedulerMemory,
  { jobs, onChange }: Readonly<{ jobs: readonly ActiveJob[]; onChange: () => void }>,
): void => {
  const unwatched = jobs.filter((job) => job.status === "running" && !watches.has(job.id));
  for (const job of unwatched) watches.set(job.id, executor.watch(job, onChange));
};

const chooseDelay = ({ uptime, settings }: SchedulerContext, { killedSince }: SchedulerMemory): number => {
  if (killedSince.size === 0) return settings.refreshRate * 1000;
  return uptime() - Math.max(...killedSince.values()) < 1 ? FIRST_SECOND_RETRY_MS : LATER_RETRY_MS;
};

/** Ends the jobs that have ended and kills those that must be; returns in how many milliseconds to look again. */
export const tendRunningJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  wakes: Wakes,
): Promise<number> => {
  const jobs = listTended(context, memory);
  if (jobs.length === 0) return context.settings.refreshRate * 1000;
  watchJobs(context, memory, { jobs, onChange: wakes.running });
  const observations = await context.executor.probe(jobs);
  const actions = decideActions(takeSnapshot(context, memory, { observations }), context.clock());
  const settled = actions.filter(isSettling);
  await killJobs(context, memory, selectActions(actions, "kill"));
  await Promise.all(settled.map((action) => settleJob(context, memory, action)));
  if (settled.length > 0) wakes.queues();
  return chooseDelay(context, memory);
};
