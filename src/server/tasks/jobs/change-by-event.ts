import { changeJob, decideByEvent } from "../../changes/change-job.ts";
import type { Job, JobId } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import type { TaskContext } from "../context.ts";

/** The job as it is now; null, with a line in the log, where it could not be changed. */
export const changeByEvent = async (
  context: TaskContext,
  id: JobId,
  event: JobEvent,
  reason?: string,
): Promise<Job | null> => {
  const changed = await changeJob(context, id, decideByEvent(event, reason));
  if (changed.ok) return changed.value.after;
  context.log.error("job could not be changed", { job_id: id, message: changed.error.message });
  return null;
};
