import type { JobId, QueuedJob } from "../core/job.ts";
import type { Action } from "../core/job-ending.ts";
import type { Gpu, QueueSelection } from "../core/ports.ts";
import { decideActions } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { launchJob } from "./launch-job.ts";
import { selectActions, takeSnapshot } from "./snapshot.ts";

type StartAction = Extract<Action, { kind: "start" }>;

const NO_CACHE = 0;

const listWaiting = (
  context: SchedulerContext,
  memory: SchedulerMemory,
  selection: QueueSelection,
): readonly QueuedJob[] => context.store.loadQueuedJobs(selection).filter((job) => !memory.launching.has(job.id));

const watchJob = (context: SchedulerContext, memory: SchedulerMemory, id: JobId, onExit: () => void): void => {
  const job = context.store.findJob(id);
  if (job?.status === "running") memory.watches.set(id, context.executor.watch(job, onExit));
};

const launchTracked = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  { action, onExit }: Readonly<{ action: StartAction; onExit: () => void }>,
): Promise<void> => {
  const { id } = action.job;
  memory.launching.add(id);
  try {
    await launchJob(context, action.job, action.gpuIdxs);
    watchJob(context, memory, id, onExit);
  } catch (error) {
    context.log.error("launch failed", { job_id: id, message: String(error) });
  } finally {
    memory.launching.delete(id);
    onExit();
  }
};

const startJobs = (
  context: SchedulerContext,
  memory: SchedulerMemory,
  round: Readonly<{ queued: readonly QueuedJob[]; gpus: readonly Gpu[] | null; onExit: () => void }>,
): void => {
  const { queued, gpus, onExit } = round;
  const actions = decideActions(takeSnapshot(context, memory, { queued, gpus }), context.clock());
  for (const action of selectActions(actions, "start")) void launchTracked(context, memory, { action, onExit });
};

const startCpuJobs = (context: SchedulerContext, memory: SchedulerMemory, onExit: () => void): void => {
  const running = context.store.loadActiveJobs().filter((job) => job.gpuIdxs.length === 0).length;
  const limit = context.settings.maxCpuJobs - running + memory.launching.size;
  if (context.settings.maxCpuJobs <= running) return;
  startJobs(context, memory, { queued: listWaiting(context, memory, { needs: "cpu", limit }), gpus: null, onExit });
};

const hasGpuRoom = async ({ store, gpus }: SchedulerContext): Promise<boolean> => {
  const known = await gpus.read();
  const taken = new Set(store.loadActiveJobs().flatMap((job) => job.gpuIdxs));
  return known.ok && known.value.some((gpu) => !taken.has(gpu.index));
};

const startGpuJobs = async (context: SchedulerContext, memory: SchedulerMemory, onExit: () => void): Promise<void> => {
  if (context.store.loadQueuedJobs({ needs: "gpu", limit: 1 }).length === 0 || !(await hasGpuRoom(context))) return;
  const gpus = await context.gpus.read(NO_CACHE);
  const queued = listWaiting(context, memory, { needs: "gpu" });
  if (gpus.ok) startJobs(context, memory, { queued, gpus: gpus.value, onExit });
};

/** Starts every job that can start. CPU jobs don't wait for the GPUs to be read; a full machine does not read its queue. */
export const startQueuedJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  onExit: () => void,
): Promise<number> => {
  startCpuJobs(context, memory, onExit);
  await startGpuJobs(context, memory, onExit);
  return context.settings.refreshRate * 1000;
};
