import { addUse } from "../../core/jobs/gpu-use.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { seeUse } from "../../core/running/gpu-looks.ts";
import { countRunS } from "../../core/running/time-limit.ts";
import { toUseSpan } from "../../core/running/use-course.ts";
import { type Excesses, judgeVram } from "../../core/running/vram-use.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext, TaskMemory } from "../context.ts";

const LOOK_EVERY_MS = 10_000;
const RESTS_BETWEEN_LOOKS = 5;
const LOOKS_AT_ONCE_WRITTEN = 30;

const listOnGpus = ({ store }: TaskContext): readonly RunningJob[] =>
  store.loadActiveJobs().flatMap((job) => (job.status === "running" && job.gpuIdxs.length > 0 ? [job] : []));

const isSame = (a: RunningJob, b: RunningJob): boolean => a.id === b.id && a.startedAt === b.startedAt;

const keepLook = (context: TaskContext, job: RunningJob, gpus: readonly Gpu[]): void => {
  const ageS = countRunS(job, { now: context.clock(), boot: context.readBootTime() });
  const kept = context.useCourses.append(job.id, job.gpuIdxs, toUseSpan(job.gpuIdxs, gpus, ageS));
  if (!kept.ok) context.log.debug("use of GPUs not kept", { job_id: job.id, message: kept.error.message });
};

const noteUse = async (
  context: TaskContext,
  { unwrittenUse }: TaskMemory,
  { jobs, gpus }: Readonly<{ jobs: readonly RunningJob[]; gpus: readonly Gpu[] }>,
): Promise<void> => {
  if (gpus.length === 0) return;
  for (const job of listOnGpus(context).filter((one) => jobs.some((before) => isSame(one, before)))) {
    keepLook(context, job, gpus);
    const seen = seeUse(job, gpus);
    if (seen === null) continue;
    const use = addUse(unwrittenUse.get(job.id), seen);
    const isDue = job.gpuUse === undefined || use.looks >= LOOKS_AT_ONCE_WRITTEN;
    if (isDue) unwrittenUse.delete(job.id);
    else unwrittenUse.set(job.id, use);
    if (isDue) await changeByEvent(context, job.id, { kind: "see_use", use });
  }
};

const chooseDelay = ({ settings }: TaskContext): number =>
  Math.min(LOOK_EVERY_MS, settings.refreshRate * 1000 * RESTS_BETWEEN_LOOKS);

/** Returns a task that notes what GPUs do for their jobs and how much of their memory these have, and ends those that have far more than they booked beside others. */
export const createGpuWatch = (context: TaskContext, memory: TaskMemory): (() => Promise<number>) => {
  const { store, settings } = context;
  let before: Excesses = new Map();
  return async () => {
    const jobs = listOnGpus(context);
    const reading = jobs.length > 0 ? await context.gpus.readNow() : null;
    const gpus = reading?.ok ? reading.value : [];
    const judged = judgeVram({ active: store.loadActiveJobs(), gpus, isEnforced: settings.vramEnforce, before });
    before = judged.excesses;
    for (const { id, event } of judged.changes) await changeByEvent(context, id, event);
    await noteUse(context, memory, { jobs, gpus });
    return chooseDelay(context);
  };
};
