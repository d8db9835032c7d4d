import type { HostStats } from "../core/ports.ts";
import { createMemory, type SchedulerContext, type SchedulerMemory } from "./context.ts";
import { restoreJobs } from "./restore-jobs.ts";
import { startQueuedJobs } from "./start-queued-jobs.ts";
import { startTask, type Task } from "./task.ts";
import { tendRunningJobs } from "./tend-running-jobs.ts";
import { createHealthWatch } from "./watch-health.ts";

export type Scheduler = Readonly<{ wake: () => void; stop: () => Promise<void> }>;

const watchRestoredJobs = (context: SchedulerContext, memory: SchedulerMemory, onExit: () => void): void => {
  for (const job of context.store.loadActiveJobs()) {
    if (job.status === "running") memory.watches.set(job.id, context.executor.watch(job, onExit));
  }
};

const startTasks = (context: SchedulerContext, memory: SchedulerMemory, health: HostStats): readonly Task[] => {
  const refreshMs = context.settings.refreshRate * 1000;
  const plan = { log: context.log, retryMs: refreshMs };
  const running = startTask({
    ...plan,
    name: "running jobs",
    run: () => tendRunningJobs(context, memory, () => queue.wake()),
  });
  const queue = startTask({ ...plan, name: "queued jobs", run: () => startQueuedJobs(context, memory, running.wake) });
  const healthWatch = startTask({
    ...plan,
    name: "health",
    run: createHealthWatch({ health, log: context.log, refreshMs }),
  });
  watchRestoredJobs(context, memory, running.wake);
  return [running, queue, healthWatch];
};

/** Restores the jobs that the last server left, then runs its tasks side by side; none can delay another. */
export const startScheduler = async (context: SchedulerContext, health: HostStats): Promise<Scheduler> => {
  const memory = createMemory();
  await restoreJobs(context, memory);
  const tasks = startTasks(context, memory, health);
  const stop = async (): Promise<void> => {
    await Promise.all(tasks.map((task) => task.stop()));
    for (const endWatch of memory.watches.values()) endWatch();
  };
  const wake = (): void => {
    for (const task of tasks.slice(0, 2)) task.wake();
  };
  return { wake, stop };
};
