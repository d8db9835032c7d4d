import { listSecrets, maskSecrets } from "../../../base/secret-names.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import { toPlainLines } from "../../core/notices/plain-text.ts";
import { findFailureReason } from "../../core/running/failure-reason.ts";
import type { TaskContext } from "../context.ts";

const LINES_READ = 200;
const MAX_BYTES_READ = 256 * 1024;

const readReason = async ({ logs, store }: TaskContext, job: ActiveJob): Promise<string | null> => {
  try {
    const tail = await logs.readTail(job.id, LINES_READ);
    const text = new TextDecoder().decode(tail.subarray(-MAX_BYTES_READ));
    return findFailureReason(toPlainLines(maskSecrets(text, listSecrets(store.loadEnvironment(job.id)))));
  } catch {
    return null;
  }
};

/** The event, with what the job's log says of a failure. */
export const explainFailure = async (context: TaskContext, job: ActiveJob, event: JobEvent): Promise<JobEvent> =>
  event.kind === "exit" && event.exitCode !== 0 ? { ...event, hint: await readReason(context, job) } : event;
