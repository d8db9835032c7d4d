import type { QueuedJob, StartingJob } from "../../core/jobs/job.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { describeGpus } from "../../core/queue/gpu-selection.ts";
import { decideStarts, type Start } from "../../core/queue/queue-turns.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { launchJob, recordStart } from "./launch-job.ts";

const NO_CACHE = 0;

const launchTracked = async (context: TaskContext, memory: TaskMemory, started: StartingJob): Promise<void> => {
  try {
    await launchJob(context, started);
  } catch (error) {
    context.log.error("launch failed", { job_id: started.id, message: String(error) });
  } finally {
    memory.launching.delete(started.id);
    context.wakes.running();
  }
};

const beginLaunch = async (context: TaskContext, memory: TaskMemory, start: Start): Promise<void> => {
  let started: StartingJob | null = null;
  memory.launching.add(start.job.id);
  try {
    started = await recordStart(context, start);
  } finally {
    if (started === null) memory.launching.delete(start.job.id);
  }
  if (started !== null) void launchTracked(context, memory, started);
};

const startJobs = async (
  context: TaskContext,
  memory: TaskMemory,
  { queued, gpus }: Readonly<{ queued: readonly QueuedJob[]; gpus: readonly Gpu[] }>,
): Promise<void> => {
  const { store, settings, clock } = context;
  const active = store.loadActiveJobs();
  const facts = { queued, active, maxCpuJobs: settings.maxCpuJobs, maxPassedOverS: settings.maxPassedOver };
  const starts = decideStarts(facts, describeGpus(gpus, active, store.listBlacklist()), clock());
  await Promise.all(starts.map((start) => beginLaunch(context, memory, start)));
};

/** Starts every CPU job that can start; resolves once that is on disk, the launches go on. */
export const startCpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const { store, settings } = context;
  const limit = settings.maxCpuJobs - store.loadActiveJobs().filter((job) => job.gpuIdxs.length === 0).length;
  const queued = limit > 0 ? store.loadQueuedJobs({ needs: "cpu", limit }) : [];
  if (queued.length > 0) await startJobs(context, memory, { queued, gpus: [] });
  return settings.refreshRate * 1000;
};

const hasGpuRoom = async ({ store, gpus }: TaskContext): Promise<boolean> => {
  const known = await gpus.read();
  const taken = new Set(store.loadActiveJobs().flatMap((job) => job.gpuIdxs));
  return known.ok && known.value.some((gpu) => !taken.has(gpu.index));
};

const isGpuWanted = async (context: TaskContext): Promise<boolean> =>
  context.store.loadQueuedJobs({ needs: "gpu", limit: 1 }).length > 0 && (await hasGpuRoom(context));

/** Like `startCpuJobs` for GPU jobs; a full machine does not read its queue. */
export const startGpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const { store, settings } = context;
  const gpus = (await isGpuWanted(context)) ? await context.gpus.read(NO_CACHE) : null;
  if (gpus?.ok) {
    const queued = store.loadQueuedJobs({ needs: "gpu" });
    await startJobs(context, memory, { queued, gpus: gpus.value });
  }
  return settings.refreshRate * 1000;
};
