import { type Alarm, createAlarm } from "../../tools/alarm.ts";
import type { Wakes } from "../changes/context.ts";
import type { HostStats } from "../core/machine/host.ts";
import type { WandbFinder } from "../core/running/executor.ts";
import type { FindInputWaits } from "../core/running/input-wait.ts";
import type { Backups } from "../core/upkeep/backups.ts";
import type { JobFolders, Retention } from "../core/upkeep/folder-plan.ts";
import { createMemory, type TaskContext, type TaskMemory } from "./context.ts";
import { findWandbRuns } from "./jobs/find-wandb-runs.ts";
import { createOutputKeeping, type OutputKeeping } from "./jobs/keep-outputs.ts";
import { openTurns } from "./jobs/open-turns.ts";
import { restoreJobs } from "./jobs/restore-jobs.ts";
import { startCpuJobs, startGpuJobs } from "./jobs/start-queued-jobs.ts";
import { tendRunningJobs } from "./jobs/tend-running-jobs.ts";
import { createGpuWatch } from "./jobs/watch-gpus.ts";
import { createInputWatch } from "./jobs/watch-input.ts";
import { createLogWatch } from "./jobs/watch-logs.ts";
import { createMomentWatch } from "./jobs/watch-moments.ts";
import { createDelivery, type Delivery, type PostOffice } from "./notices/deliver-outbox.ts";
import { expireOutbox } from "./notices/expire-outbox.ts";
import { startTask, type Task, type TaskPlan } from "./task.ts";
import { createDailyBackup } from "./upkeep/back-up-daily.ts";
import { createFolderCleaning } from "./upkeep/clean-folders.ts";
import { deleteUnusedArtifacts } from "./upkeep/delete-unused-artifacts.ts";
import { removeLeftovers } from "./upkeep/remove-leftovers.ts";
import { createDiskWatch } from "./upkeep/watch-disk.ts";
import { createHealthWatch } from "./upkeep/watch-health.ts";

/** What rings for the tasks that do not only wait for their time. */
export type Alarms = Readonly<{
  running: Alarm;
  cpuQueue: Alarm;
  gpuQueue: Alarm;
  turns: Alarm;
  outbox: Alarm;
  outputs: Alarm;
}>;

/** What the tasks beside those of the jobs look at. */
export type Outside = Readonly<{
  health: HostStats;
  wandb: WandbFinder;
  findInputWaits: FindInputWaits;
  backups: Backups;
  office: PostOffice;
  folders: JobFolders;
  retention: Retention;
}>;

type Start = (name: string, run: TaskPlan["run"], alarm?: Alarm) => Task;

export const createAlarms = (): Alarms => ({
  running: createAlarm(),
  cpuQueue: createAlarm(),
  gpuQueue: createAlarm(),
  turns: createAlarm(),
  outbox: createAlarm(),
  outputs: createAlarm(),
});

export const createWakes = ({ running, cpuQueue, gpuQueue, turns, outbox, outputs }: Alarms): Wakes => ({
  running: running.ring,
  queues: () => {
    cpuQueue.ring();
    gpuQueue.ring();
    turns.ring();
  },
  outbox: outbox.ring,
  outputs: outputs.ring,
});

const createStart =
  ({ log, meter, settings }: TaskContext): Start =>
  (name, run, alarm = createAlarm()) =>
    startTask({ log, meter, retryMs: settings.refreshRate * 1000, name, run, alarm });

const createTurns = (context: TaskContext, alarms: Alarms): (() => Promise<number>) => {
  const watchMoments = createMomentWatch(context, alarms);
  return async () => Math.min(await openTurns(context, alarms), await watchMoments());
};

const startJobTasks = (context: TaskContext, memory: TaskMemory, alarms: Alarms): readonly Task[] => {
  const start = createStart(context);
  return [
    start("running jobs", () => tendRunningJobs(context, memory), alarms.running),
    start("times of queued jobs", createTurns(context, alarms), alarms.turns),
    start("queued CPU jobs", () => startCpuJobs(context, memory), alarms.cpuQueue),
    start("queued GPU jobs", () => startGpuJobs(context, memory), alarms.gpuQueue),
    start("GPUs of jobs", createGpuWatch(context, memory)),
    start("logs of jobs", createLogWatch(context)),
  ];
};

const startOtherTasks = (context: TaskContext, outside: Outside): readonly Task[] => {
  const start = createStart(context);
  const { health, wandb, backups } = outside;
  return [
    start("health", createHealthWatch(context, health)),
    start("disk room", createDiskWatch(context)),
    start("W&B runs", () => findWandbRuns(context, wandb)),
    start("jobs that wait for input", createInputWatch(context, outside.findInputWaits)),
    start("daily backup", createDailyBackup(context, backups)),
    start("old job folders", createFolderCleaning(context, outside)),
    start("unused artifacts", () => deleteUnusedArtifacts(context)),
    start("old notifications", () => expireOutbox(context)),
    start("left-over folders", () => removeLeftovers(context)),
  ];
};

type Ending = Readonly<{ delivery: Delivery; keeping: OutputKeeping }>;

const createStop =
  (tasks: readonly Task[], memory: TaskMemory, { delivery, keeping }: Ending): (() => Promise<void>) =>
  async () => {
    keeping.stop();
    await Promise.all(tasks.map((task) => task.stop()));
    for (const endWatch of memory.watches.values()) endWatch();
    await delivery.stop();
  };

/** Restores the jobs that the last server left, then runs its tasks side by side; none can delay another. Returns their end. */
export const startTasks = async (
  context: TaskContext,
  alarms: Alarms,
  outside: Outside,
): Promise<() => Promise<void>> => {
  const memory = createMemory();
  await restoreJobs(context, memory);
  const delivery = createDelivery(context, outside.office);
  const keeping = createOutputKeeping(context, outside.retention);
  const tasks = [
    ...startJobTasks(context, memory, alarms),
    ...startOtherTasks(context, outside),
    createStart(context)("outbox", delivery.run, alarms.outbox),
    createStart(context)("outputs", keeping.run, alarms.outputs),
  ];
  return createStop(tasks, memory, { delivery, keeping });
};
