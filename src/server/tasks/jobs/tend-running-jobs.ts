import type { ActiveJob } from "../../core/jobs/job.ts";
import { decideEndings, type EndingFacts } from "../../core/running/job-ending.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { countToLimitMs, enforceLimits } from "./enforce-limits.ts";
import { finishJobs } from "./finish-job.ts";
import { killJobs } from "./kill-jobs.ts";

const FIRST_SECOND_RETRY_MS = 20;
const LATER_RETRY_MS = 250;
const SOONEST_LIMIT_MS = 20;

const listTended = (context: TaskContext, memory: TaskMemory): readonly ActiveJob[] =>
  context.store.loadActiveJobs().filter((job) => !memory.launching.has(job.id));

const watchJobs = ({ executor, wakes }: TaskContext, { watches }: TaskMemory, jobs: readonly ActiveJob[]): void => {
  const unwatched = jobs.filter((job) => job.status === "running" && !watches.has(job.id));
  for (const job of unwatched) watches.set(job.id, executor.watch(job, wakes.running));
};

const dateKills = ({ clock, uptime }: TaskContext, { killedSince }: TaskMemory): EndingFacts["killedSince"] =>
  new Map([...killedSince].map(([id, since]) => [id, clock() - (uptime() - since)]));

const chooseDelay = (context: TaskContext, { killedSince }: TaskMemory): number => {
  const { uptime, settings } = context;
  if (killedSince.size === 0)
    return Math.min(settings.refreshRate * 1000, Math.max(SOONEST_LIMIT_MS, countToLimitMs(context)));
  return uptime() - Math.max(...killedSince.values()) < 1 ? FIRST_SECOND_RETRY_MS : LATER_RETRY_MS;
};

/** Ends the jobs that have ended, kills those that must be, and sees to those that reach their limit; returns in how many milliseconds to look again. */
export const tendRunningJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const jobs = listTended(context, memory);
  if (jobs.length === 0) return context.settings.refreshRate * 1000;
  watchJobs(context, memory, jobs);
  const observations = await context.executor.probe(jobs);
  const facts = { now: context.clock(), killedSince: dateKills(context, memory) };
  const active = context.store.loadActiveJobs();
  const { kills, endings } = decideEndings(active, observations, facts);
  await killJobs(context, memory, { kills, observations });
  await finishJobs(context, memory, endings);
  await enforceLimits(context, active, observations);
  return chooseDelay(context, memory);
};
