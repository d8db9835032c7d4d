import { isEnded, type JobId, NO_OUTPUTS } from "../../core/jobs/job.ts";
import { changeByEvent } from "../change-by-event.ts";
import type { TaskContext } from "../context.ts";

/** Has the job say that what it made is there no longer. */
export const forgetOutputs = async (context: TaskContext, id: JobId): Promise<void> => {
  const job = context.store.findJob(id);
  if (job === null || !isEnded(job) || job.outputs.state === "none") return;
  const notes = ["Its files were removed, as they had been kept for long enough"];
  await changeByEvent(context, id, { kind: "account", outputs: NO_OUTPUTS, notes });
};
