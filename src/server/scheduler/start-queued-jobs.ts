import type { JobId, QueuedJob } from "../core/job.ts";
import type { Action } from "../core/job-ending.ts";
import type { Gpu } from "../core/ports.ts";
import { decideActions } from "../core/schedule.ts";
import type { SchedulerContext, SchedulerMemory } from "./context.ts";
import { launchJob } from "./launch-job.ts";
import { selectActions, takeSnapshot } from "./snapshot.ts";

type StartAction = Extract<Action, { kind: "start" }>;

const NO_CACHE = 0;

const listWaiting = (context: SchedulerContext, memory: SchedulerMemory): readonly QueuedJob[] =>
  context.store.loadQueuedJobs().filter((job) => !memory.launching.has(job.id));

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
  round: Readonly<{ gpus: readonly Gpu[] | null; onExit: () => void }>,
): void => {
  const queued = listWaiting(context, memory);
  const actions = decideActions(takeSnapshot(context, memory, { queued, gpus: round.gpus }), context.clock());
  for (const action of selectActions(actions, "start")) {
    void launchTracked(context, memory, { action, onExit: round.onExit });
  }
};

/** Starts every job that can start. CPU jobs don't wait for the GPUs to be read. */
export const startQueuedJobs = async (
  context: SchedulerContext,
  memory: SchedulerMemory,
  onExit: () => void,
): Promise<number> => {
  startJobs(context, memory, { gpus: null, onExit });
  if (listWaiting(context, memory).some((job) => job.numGpus > 0)) {
    const gpus = await context.gpus.read(NO_CACHE);
    if (gpus.ok) startJobs(context, memory, { gpus: gpus.value, onExit });
  }
  return context.settings.refreshRate * 1000;
};
