import { describeError } from "../../../base/describe-error.ts";
import type { SeenUse } from "../../core/jobs/gpu-use.ts";
import { type ActiveJob, isActive } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import type { Ending } from "../../core/running/job-ending.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { explainFailure, readLastLines } from "./explain-failure.ts";
import { findGpuFaults } from "./find-gpu-faults.ts";

const ADOPTED = "adopted: its session lives";

const forgetJob = (memory: TaskMemory, job: ActiveJob): void => {
  memory.watches.get(job.id)?.();
  memory.watches.delete(job.id);
  memory.killedSince.delete(job.id);
  memory.unwrittenUse.delete(job.id);
};

const removeRepo = async ({ jobDirectory, log, onStep }: TaskContext, { id }: ActiveJob): Promise<void> => {
  try {
    await jobDirectory.removeRepo(id);
    onStep?.("repo removed");
  } catch (error) {
    log.warn("a job's folder could not be removed", { job: id, error: describeError(error) });
  }
};

const isLogAsked = ({ gpuIdxs }: ActiveJob, seen: JobEvent): boolean =>
  seen.kind === "exit" ? seen.exitCode !== 0 || gpuIdxs.length > 0 : seen.kind === "lose";

const addWork = (event: JobEvent, work: Readonly<{ hasWork: boolean; use: SeenUse | undefined }>): JobEvent =>
  event.kind === "exit" || event.kind === "lose" ? { ...event, ...work } : event;

const takeLeave = async (context: TaskContext, memory: TaskMemory, job: ActiveJob, seen: JobEvent): Promise<void> => {
  context.onStep?.("end seen");
  const lines = isLogAsked(job, seen) ? await readLastLines(context, job) : [];
  const hasWork = await context.outputs.holdsWork(job.id);
  const event = addWork(explainFailure(seen, lines), { hasWork, use: memory.unwrittenUse.get(job.id) });
  const gpuFaults = await findGpuFaults(context, memory, { job, lines });
  const changed = await changeByEvent(context, job.id, event, { gpuFaults });
  if (changed !== null && isActive(changed)) return;
  if (changed !== null) forgetJob(memory, job);
  if (changed?.status === "queued") return;
  context.onStep?.("end written");
  if (!hasWork && (changed !== null || event.kind !== "requeue")) void removeRepo(context, job);
};

const finishJob = async (context: TaskContext, memory: TaskMemory, ending: Ending): Promise<void> => {
  const { job } = ending;
  switch (ending.kind) {
    case "adopt":
      return void (await changeByEvent(
        context,
        job.id,
        { kind: "launch", handle: ending.handle },
        { reason: ADOPTED },
      ));
    case "requeue":
      return takeLeave(context, memory, job, { kind: "requeue", at: context.clock() });
    case "finish":
      return takeLeave(context, memory, job, ending.event);
  }
};

/**
 * Writes down what became of jobs, of each whatever happens to the others. What one whose command never started left in its folder goes even when its end can't be written: it may
 * be what fills the disk. It goes meanwhile, whatever its size: no other job waits for that.
 */
export const finishJobs = async (
  context: TaskContext,
  memory: TaskMemory,
  endings: readonly Ending[],
): Promise<void> => {
  const finish = async (ending: Ending): Promise<void> => {
    try {
      await finishJob(context, memory, ending);
    } catch (error) {
      context.log.error("a job's end could not be seen to", { job_id: ending.job.id, message: describeError(error) });
    }
  };
  await Promise.all(endings.map(finish));
};
