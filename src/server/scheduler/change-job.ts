import { err, ok, type Result } from "../../shared/result.ts";
import { planDigest } from "../core/batch-digest.ts";
import { isEnded, type Job, type JobId } from "../core/job.ts";
import { explainEvent } from "../core/job-change.ts";
import { applyJobEvent, type JobEvent } from "../core/job-transition.ts";
import type { Batch } from "../core/outbox.ts";
import { findNoticeEvent, planNotices } from "../core/plan-notices.ts";
import type { Transaction } from "../core/ports.ts";
import type { SchedulerContext } from "./context.ts";
import { recordChange } from "./record-change.ts";

type Changed = Result<Job, Readonly<{ message: string }>>;
type Step = Result<Readonly<{ before: Job; after: Job; notices: number }>, Readonly<{ message: string }>>;

const countEnd = ({ outbox }: Transaction, before: Job, after: Job): Batch | null =>
  after.batchId === undefined || isEnded(before) || !isEnded(after)
    ? null
    : outbox.countInBatch(after.batchId, after.id, after.status);

const enqueueNotices = (context: SchedulerContext, transaction: Transaction, before: Job, after: Job): number => {
  const source = {
    channels: context.channels,
    now: context.clock(),
    loadSecrets: () => transaction.loadEnvironment(after.id),
  };
  const notices = planNotices(findNoticeEvent(before, after), after, source);
  const digests = planDigest(countEnd(transaction, before, after), after, source);
  transaction.outbox.enqueue([...notices, ...digests]);
  return notices.length + digests.length;
};

/** Applies the event to the job as it stands in the store, on disk, with who is to hear of it, when this resolves. */
export const changeJob = async (
  context: SchedulerContext,
  id: JobId,
  event: JobEvent,
  reason?: string,
): Promise<Changed> => {
  const written = await context.store.write((transaction): Step => {
    const before = transaction.findJob(id);
    if (before === null) return err({ message: `Job ${id} is gone` });
    const next = applyJobEvent(before, event);
    if (!next.ok) return next;
    const notices = enqueueNotices(context, transaction, before, next.value);
    transaction.saveJob(next.value);
    return ok({ before, after: next.value, notices });
  });
  if (!written.ok) return err({ message: written.error.message });
  if (!written.value.ok) return written.value;
  const { before, after, notices } = written.value.value;
  if (notices > 0) context.wakeOutbox();
  recordChange(context, { before, after, reason: reason ?? explainEvent(event, after) });
  return ok(after);
};

export const logFailure = (context: SchedulerContext, id: JobId, changed: Changed): void => {
  if (!changed.ok) context.log.error("job could not be changed", { job_id: id, message: changed.error.message });
};
