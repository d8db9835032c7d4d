import type { StartingJob } from "../../core/jobs/job.ts";
import type { DiskRoom } from "../../core/machine/disk-room.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { describeGpus } from "../../core/queue/gpu-selection.ts";
import { createCountStarts } from "../../core/queue/queue-head.ts";
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
  { gpus, disk, maxCpuJobs }: Readonly<{ gpus: readonly Gpu[]; disk: DiskRoom | null; maxCpuJobs: number }>,
): Promise<void> => {
  const { store, settings } = context;
  const now = context.clock();
  const active = store.loadActiveJobs();
  const states = describeGpus(gpus, active, store.listBlacklist());
  const facts = { active, maxCpuJobs, maxPassedOverS: settings.maxPassedOver, disk };
  const queued = store.loadDecidingJobs(createCountStarts(facts, states), now - settings.maxPassedOver);
  const starts = decideStarts({ ...facts, queued }, states, now);
  await Promise.all(starts.map((start) => beginLaunch(context, memory, start)));
};

/** Starts every CPU job that can start; resolves once that is on disk, the launches go on. */
export const startCpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const { maxCpuJobs, refreshRate } = context.settings;
  await startJobs(context, memory, { gpus: [], disk: await context.readDiskRoom(), maxCpuJobs });
  return refreshRate * 1000;
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
  const disk = await context.readDiskRoom();
  const gpus = (await isGpuWanted(context)) ? await context.gpus.read(NO_CACHE) : null;
  if (gpus?.ok) await startJobs(context, memory, { gpus: gpus.value, disk, maxCpuJobs: 0 });
  return context.settings.refreshRate * 1000;
};
