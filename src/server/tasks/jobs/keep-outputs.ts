import { describeError } from "../../../base/describe-error.ts";
import type { EndedJob, Outputs } from "../../core/jobs/job.ts";
import type { Kept } from "../../core/running/outputs.ts";
import { findKeptUntil, type Retention } from "../../core/upkeep/folder-plan.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

/** `stop` cuts off what is being moved: the next server goes on with it. */
export type OutputKeeping = Readonly<{ run: () => Promise<number>; stop: () => void }>;

const LOOK_AGAIN_MS = 60_000;

const finish = async ({ outputs, log, onStep }: TaskContext, { id }: EndedJob): Promise<void> => {
  try {
    await outputs.finish(id);
    onStep?.("repo removed");
  } catch (error) {
    log.warn("a job's folder could not be removed", { job: id, error: describeError(error) });
  }
};

const describeKept = (job: EndedJob, kept: Kept, retention: Retention): Partial<Outputs> => {
  const { files, bytes, leftOut, tooDeep } = kept;
  const isNothing = files === 0 && tooDeep === 0;
  const keptUntil = isNothing ? null : findKeptUntil(retention, job.completedAt);
  return { state: isNothing ? "none" : "kept", files, bytes, leftOut, keptUntil, isWarned: false };
};

const keep = async (
  context: TaskContext,
  job: EndedJob,
  { retention, signal }: Readonly<{ retention: Retention; signal: AbortSignal }>,
): Promise<void> => {
  const kept = await context.outputs.keep(job, signal);
  if (signal.aborted) return;
  context.onStep?.("files moved");
  if (!kept.ok) context.log.warn("a job's files could not be kept", { job: job.id, error: kept.error.message });
  const event = kept.ok
    ? { outputs: describeKept(job, kept.value, retention), notes: kept.value.notes }
    : { outputs: { state: "failed" as const }, notes: [`Its files could not be kept: ${kept.error.message}`] };
  const changed = await changeByEvent(context, job.id, { kind: "account", ...event });
  if (changed === null) throw new Error(`what is kept of job ${job.id} could not be written down`);
  context.onStep?.("files accounted for");
  if (kept.ok) void finish(context, job);
};

/** Keeps the files of one job that has ended after the other, until there is none. */
export const createOutputKeeping = (context: TaskContext, retention: Retention): OutputKeeping => {
  const stopping = new AbortController();
  const { signal } = stopping;
  return {
    run: async () => {
      for (
        let job = context.store.findMovingJob();
        job !== null && !signal.aborted;
        job = context.store.findMovingJob()
      )
        await keep(context, job, { retention, signal });
      return LOOK_AGAIN_MS;
    },
    stop: () => stopping.abort(),
  };
};
