import { parseDuration } from "../../../base/durations.ts";
import { addUse } from "../../core/jobs/gpu-use.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { seeUse } from "../../core/running/gpu-looks.ts";
import { chooseStallLimit } from "../../core/running/stall-watch.ts";
import { countRunS } from "../../core/running/time-limit.ts";
import { toUseSpan } from "../../core/running/use-course.ts";
import { type Excesses, judgeVram, type VramJudgement } from "../../core/running/vram-use.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { chooseLookDelay, createStallWatch, listRunning } from "./look-at-jobs.ts";

const LOOKS_AT_ONCE_WRITTEN = 30;

const listOnGpus = (context: TaskContext): readonly RunningJob[] =>
  listRunning(context).filter(({ gpuIdxs }) => gpuIdxs.length > 0);

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
  for (const job of jobs) {
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

const readDuration = (text: string | null): number | null => (text === null ? null : parseDuration(text));

const createIdleWatch = (
  context: TaskContext,
): ((jobs: readonly RunningJob[], gpus: readonly Gpu[]) => Promise<void>) => {
  const { idleEnd, idleWarn } = context.settings;
  const [usualEndS, warnS] = [readDuration(idleEnd), readDuration(idleWarn)];
  const watchStalls = createStallWatch(context);
  return (jobs, gpus) =>
    watchStalls({
      ...{ stall: "idle", jobs },
      find: (job) => (seeUse(job, gpus)?.idleShare === 1 ? "idle" : null),
      limitOf: ({ maxIdleS }) => chooseStallLimit(maxIdleS ?? usualEndS, warnS),
    });
};

const judgeMemory = (context: TaskContext, gpus: readonly Gpu[], before: Excesses): VramJudgement => {
  const { store, settings } = context;
  return judgeVram({ active: store.loadActiveJobs(), gpus, isEnforced: settings.vramEnforce, before });
};

/** Returns a task that notes what GPUs do for their jobs and how much of their memory these have, and ends those that have far more than they booked beside others, or leave them idle for too long. */
export const createGpuWatch = (context: TaskContext, memory: TaskMemory): (() => Promise<number>) => {
  const watchIdle = createIdleWatch(context);
  let before: Excesses = new Map();
  return async () => {
    const jobs = listOnGpus(context);
    const reading = jobs.length > 0 ? await context.gpus.readNow() : null;
    const gpus = reading?.ok ? reading.value : [];
    const judged = judgeMemory(context, gpus, before);
    before = judged.excesses;
    for (const { id, event } of judged.changes) await changeByEvent(context, id, event);
    const seen = listOnGpus(context).filter((job) => jobs.some((one) => isSame(one, job)));
    await noteUse(context, memory, { jobs: seen, gpus });
    await watchIdle(seen, gpus);
    return chooseLookDelay(context);
  };
};
