import { isEnded, type JobId, type QueuedJob, type StartingJob } from "../core/job.ts";
import type { Action } from "../core/job-ending.ts";
import type { Gpu, Wakes } from "../core/ports.ts";
import { decideActions } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { launchJob, recordStart } from "./launch-job.ts";
import { selectActions, takeSnapshot } from "./snapshot.ts";

type StartAction = Extract<Action, { kind: "start" }>;

const NO_CACHE = 0;

const isEndedOrGone = ({ store }: SchedulerContext, id: JobId): boolean => {
  const job = store.findJob(id);
  return job === null || isEnded(job);
};

const launchTracked = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  launch: Readonly<{ started: StartingJob; wakes: Wakes }>,
): Promise<void> => {
  const { id } = launch.started;
  try {
    await launchJob(context, launch.started);
    if (isEndedOrGone(context, id)) launch.wakes.queues();
  } catch (error) {
    context.log.error("launch failed", { job_id: id, message: String(error) });
  } finally {
    memory.launching.delete(id);
    launch.wakes.running();
  }
};

const beginLaunch = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  { action, wakes }: Readonly<{ action: StartAction; wakes: Wakes }>,
): Promise<void> => {
  let started: StartingJob | null = null;
  memory.launching.add(action.job.id);
  try {
    started = await recordStart(context, action);
  } finally {
    if (started === null) memory.launching.delete(action.job.id);
  }
  if (started !== null) void launchTracked(context, memory, { started, wakes });
};

const startJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  round: Readonly<{ queued: readonly QueuedJob[]; gpus: readonly Gpu[] | null; wakes: Wakes }>,
): Promise<void> => {
  const { queued, gpus, wakes } = round;
  const actions = decideActions(takeSnapshot(context, memory, { queued, gpus }), context.clock());
  const starts = selectActions(actions, "start");
  await Promise.all(starts.map((action) => beginLaunch(context, memory, { action, wakes })));
};

/** Starts every CPU job that can start; resolves once that is on disk, the launches go on. */
export const startCpuJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  wakes: Wakes,
): Promise<number> => {
  const { store, settings } = context;
  const limit = settings.maxCpuJobs - store.loadActiveJobs().filter((job) => job.gpuIdxs.length === 0).length;
  const queued = limit > 0 ? store.loadQueuedJobs({ needs: "cpu", limit }) : [];
  if (queued.length > 0) await startJobs(context, memory, { queued, gpus: null, wakes });
  return settings.refreshRate * 1000;
};

const hasGpuRoom = async ({ store, gpus }: SchedulerContext): Promise<boolean> => {
  const known = await gpus.read();
  const taken = new Set(store.loadActiveJobs().flatMap((job) => job.gpuIdxs));
  return known.ok && known.value.some((gpu) => !taken.has(gpu.index));
};

const isGpuWanted = async (context: SchedulerContext): Promise<boolean> =>
  context.store.loadQueuedJobs({ needs: "gpu", limit: 1 }).length > 0 && (await hasGpuRoom(context));

/** Like `startCpuJobs` for GPU jobs; a full machine does not read its queue. */
export const startGpuJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  wakes: Wakes,
): Promise<number> => {
  const { store, settings } = context;
  const gpus = (await isGpuWanted(context)) ? await context.gpus.read(NO_CACHE) : null;
  if (gpus?.ok) {
    const queued = store.loadQueuedJobs({ needs: "gpu" });
    await startJobs(context, memory, { queued, gpus: gpus.value, wakes });
  }
  return settings.refreshRate * 1000;
};
