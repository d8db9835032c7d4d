import type { ActiveJob } from "../../core/jobs/job.ts";
import type { GpuFault } from "../../core/queue/gpu-fault.ts";
import { findXid } from "../../core/running/failure-reason.ts";
import type { TaskContext, TaskMemory } from "../context.ts";

const readUuids = async ({ gpus }: TaskContext): Promise<ReadonlyMap<number, string | null>> => {
  const reading = await gpus.read(Infinity);
  return new Map(reading.ok ? reading.value.map(({ index, uuid }) => [index, uuid]) : []);
};

/** What the last lines of its log say against the GPUs of a job. */
export const findGpuFaults = async (
  context: TaskContext,
  memory: TaskMemory,
  { job, lines }: Readonly<{ job: ActiveJob; lines: readonly string[] }>,
): Promise<readonly GpuFault[]> => {
  const xid = job.gpuIdxs.length === 0 ? null : findXid(lines);
  if (xid === null) return [];
  const uuids = memory.gpuUuids.get(job.id) ?? (await readUuids(context));
  const text = `Xid ${xid} in the log of job ${job.id}`;
  context.log.warn("GPUs are not handed out for an hour", { gpus: job.gpuIdxs, job_id: job.id, reason: text });
  return job.gpuIdxs.map((gpuIdx) => ({ gpuIdx, uuid: uuids.get(gpuIdx) ?? null, text, at: context.clock() }));
};
