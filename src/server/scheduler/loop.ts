import type { JobFolders, Retention } from "../core/folder-plan.ts";
import type { Backups, HostStats, Wakes, WandbFinder } from "../core/ports.ts";
import { createDailyBackup } from "./back-up-daily.ts";
import { createFolderCleaning } from "./clean-folders.ts";
import { createMemory, type SchedulerContext, type SchedulerMemory } from "./context.ts";
import { deleteUnusedArtifacts } from "./delete-unused-artifacts.ts";
import { createDelivery, type PostOffice } from "./deliver-outbox.ts";
import { expireOutbox } from "./expire-outbox.ts";
import { findWandbRuns } from "./find-wandb-runs.ts";
import { removeLeftovers } from "./remove-leftovers.ts";
import { restoreJobs } from "./restore-jobs.ts";
import { startCpuJobs, startGpuJobs } from "./start-queued-jobs.ts";
import { startTask, type Task, type TaskPlan } from "./task.ts";
import { tendRunningJobs } from "./tend-running-jobs.ts";
import { createHealthWatch } from "./watch-health.ts";

export type Scheduler = Readonly<{ wakes: Wakes; stop: () => Promise<void> }>;

/** What the tasks beside those of the jobs look at. */
export type Outside = Readonly<{
  health: HostStats;
  wandb: WandbFinder;
  backups: Backups;
  office: PostOffice;
  folders: JobFolders;
  retention: Retention;
}>;

type Start = (name: string, run: TaskPlan["run"]) => Task;
type JobTasks = Readonly<{ tasks: readonly Task[]; wakes: Wakes }>;

const createStart =
  ({ log, meter, settings }: SchedulerContext): Start =>
  (name, run) =>
    startTask({ log, meter, retryMs: settings.refreshRate * 1000, name, run });

const startJobTasks = (context: SchedulerContext, memory: SchedulerMemory, start: Start): JobTasks => {
  const wakes: Wakes = {
    running: () => running.wake(),
    queues: () => {
      cpuQueue.wake();
      gpuQueue.wake();
    },
    outbox: context.wakeOutbox,
  };
  const running = start("running jobs", () => tendRunningJobs(context, memory, wakes));
  const cpuQueue = start("queued CPU jobs", () => startCpuJobs(context, memory, wakes));
  const gpuQueue = start("queued GPU jobs", () => startGpuJobs(context, memory, wakes));
  return { tasks: [running, cpuQueue, gpuQueue], wakes };
};

const startOtherTasks = (context: SchedulerContext, outside: Outside, start: Start): readonly Task[] => {
  const { health, wandb, backups } = outside;
  return [
    start("health", createHealthWatch(context, health)),
    start("W&B runs", () => findWandbRuns(context, wandb)),
    start("daily backup", createDailyBackup(context, backups)),
    start("old job folders", createFolderCleaning(context, outside)),
    start("unused artifacts", () => deleteUnusedArtifacts(context)),
    start("old notifications", () => expireOutbox(context)),
    start("left-over folders", () => removeLeftovers(context)),
  ];
};

/** Restores the jobs that the last server left, then runs its tasks side by side; none can delay another. */
export const startScheduler = async (
  given: Omit<SchedulerContext, "wakeOutbox">,
  outside: Outside,
): Promise<Scheduler> => {
  const memory = createMemory();
  let outbox: Task | null = null;
  const context = { ...given, wakeOutbox: () => outbox?.wake() };
  await restoreJobs(context, memory);
  const start = createStart(context);
  const jobs = startJobTasks(context, memory, start);
  const others = startOtherTasks(context, outside, start);
  const delivery = createDelivery(context, outside.office);
  outbox = start("outbox", delivery.run);
  const tasks = [...jobs.tasks, ...others, outbox];
  const stop = async (): Promise<void> => {
    await Promise.all(tasks.map((task) => task.stop()));
    for (const endWatch of memory.watches.values()) endWatch();
    await delivery.stop();
  };
  return { wakes: jobs.wakes, stop };
};
