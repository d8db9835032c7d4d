import { err, type Result } from "../../shared/result.ts";
import type { Job, JobId } from "../core/job.ts";
import { applyJobEvent, type JobEvent } from "../core/job-transition.ts";
import type { SchedulerContext } from "./context.ts";

type Changed = Result<Job, Readonly<{ message: string }>>;

/** Applies the event to the job as it stands in the store, on disk when this resolves. */
export const changeJob = async (context: SchedulerContext, id: JobId, event: JobEvent): Promise<Changed> => {
  const written = await context.store.write((transaction): Changed => {
    const job = transaction.findJob(id);
    if (job === null) return err({ message: `Job ${id} is gone` });
    const next = applyJobEvent(job, event);
    if (next.ok) transaction.saveJob(next.value);
    return next;
  });
  if (!written.ok) return err({ message: written.error.message });
  if (written.value.ok) logChange(context, written.value.value, event);
  return written.value;
};

const describeReason = (job: Job, event: JobEvent): string =>
  event.kind === "lose" && job.status === "failed" ? event.reason : event.kind;

const logChange = ({ log }: SchedulerContext, job: Job, event: JobEvent): void =>
  log.info("job changed", { job_id: job.id, status: job.status, reason: describeReason(job, event) });

export const logFailure = (context: SchedulerContext, id: JobId, changed: Changed): void => {
  if (!changed.ok) context.log.error("job could not be changed", { job_id: id, message: changed.error.message });
};
