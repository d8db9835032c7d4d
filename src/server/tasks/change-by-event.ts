import { changeJob, type Decide, decideByEvent } from "../changes/change-job.ts";
import type { Job, JobId } from "../core/jobs/job.ts";
import type { JobEvent } from "../core/jobs/job-transition.ts";
import type { GpuFault } from "../core/queue/gpu-fault.ts";
import type { TaskContext } from "./context.ts";

type More = Readonly<{ reason?: string; gpuFaults?: readonly GpuFault[] }>;

const decide =
  (event: JobEvent, { reason, gpuFaults = [] }: More): Decide =>
  (job, transaction) => {
    const decided = decideByEvent(event, reason)(job, transaction);
    if (decided.ok) for (const fault of gpuFaults) transaction.saveGpuFault(fault);
    return decided;
  };

/** The job as it is now; null, with a line in the log, where it could not be changed. `gpuFaults` are written with the change. */
export const changeByEvent = async (
  context: TaskContext,
  id: JobId,
  event: JobEvent,
  more: More = {},
): Promise<Job | null> => {
  const changed = await changeJob(context, id, decide(event, more));
  if (changed.ok) return changed.value.after;
  context.log.error("job could not be changed", { job_id: id, message: changed.error.message });
  return null;
};
