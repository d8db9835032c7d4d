import { err, ok, type Result } from "../../base/result.ts";
import { accountWait } from "../core/jobs/fields/waits.ts";
import { isEnded, isMoving, type Job, type JobId } from "../core/jobs/job.ts";
import { explainEvent } from "../core/jobs/job-change.ts";
import { applyJobEvent, type JobEvent } from "../core/jobs/job-transition.ts";
import { planBatchNotices } from "../core/notices/batch-notice.ts";
import type { Batch } from "../core/notices/news.ts";
import { type NoticeSource, planJobNotices, waitsForLog } from "../core/notices/plan-notices.ts";
import { findStretch } from "../core/queue/fair-share.ts";
import { createRefusal, createUnavailable, createUnknownJob, type Refusal } from "../core/refusal.ts";
import type { Transaction } from "../core/store.ts";
import { listBatchEdits } from "./batch-edits.ts";
import type { ChangeContext } from "./context.ts";
import { listConsequences } from "./dependents.ts";
import { type Changed, recordChange } from "./record-change.ts";

/** What is to become of a job: null removes it, the same job leaves it as it is. A `isMinor` one is of interest to nobody but who looks for a fault. */
export type Change = Readonly<{ after: Job | null; reason: string; isMinor?: boolean }>;

export type Decide = (job: Job, transaction: Transaction) => Result<Change, Refusal>;

const MINOR_EVENTS: readonly JobEvent["kind"][] = ["report", "account", "measure", "see_use", "foresee"];

/** What the event makes of a job, if it may happen to it. */
export const decideByEvent =
  (event: JobEvent, reason?: string): Decide =>
  (job) => {
    const next = applyJobEvent(job, event);
    if (!next.ok) return err(createRefusal("INVALID_JOB_STATE", next.error.message));
    const after = next.value;
    return ok({
      after,
      reason: reason ?? explainEvent(event, after),
      isMinor: MINOR_EVENTS.includes(event.kind),
    });
  };

const countInBatch = ({ outbox }: Transaction, before: Job, after: Job | null): Batch | null => {
  if (before.batchId === undefined || isEnded(before)) return null;
  if (after === null) return outbox.countInBatch(before.batchId, before.id, "removed");
  return isEnded(after) ? outbox.countInBatch(before.batchId, before.id, after.status) : null;
};

const createSource = ({ channels, clock }: ChangeContext, transaction: Transaction, id: JobId): NoticeSource => ({
  channels,
  now: clock(),
  loadSecrets: () => transaction.loadEnvironment(id),
});

const enqueueNotices = (context: ChangeContext, transaction: Transaction, before: Job, after: Job | null): boolean => {
  const source = createSource(context, transaction, before.id);
  const batch = countInBatch(transaction, before, after);
  const ofJob = after === null ? [] : planJobNotices(before, after, source);
  const notices = [...ofJob, ...planBatchNotices(batch, after ?? before, source)];
  transaction.outbox.enqueue(notices);
  const isSettled = isMoving(before) && after !== null && !isMoving(after) && !waitsForLog(after);
  if (isSettled) transaction.outbox.release(before.id, source.now);
  return batch !== null || notices.length > 0 || isSettled;
};

const write = (transaction: Transaction, before: Job, after: Job | null): void => {
  if (after === null) transaction.deleteJob(before.id);
  else transaction.saveJob(after);
};

const accountTime = (before: Job, after: Job | null, now: number): Job | null =>
  after?.status === "queued" ? accountWait(after, now, before) : after;

const applyOne = (
  context: ChangeContext,
  transaction: Transaction,
  id: JobId,
  decide: Decide,
): Result<Changed, Refusal> => {
  const before = transaction.findJob(id);
  if (before === null) return err(createUnknownJob(id));
  const decided = decide(before, transaction);
  if (!decided.ok) return decided;
  const after = accountTime(before, decided.value.after, context.clock());
  if (after === before) return ok({ ...decided.value, before, isHeardOf: false, caused: [] });
  const isHeardOf = enqueueNotices(context, transaction, before, after);
  const stretch = after === null ? null : findStretch(before, after);
  if (stretch !== null) transaction.chargeUse(stretch);
  write(transaction, before, after);
  return ok({ ...decided.value, after, before, isHeardOf, caused: [] });
};

const applyConsequences = (context: ChangeContext, transaction: Transaction, first: Changed): readonly Changed[] => {
  const caused: Changed[] = [];
  const due = [...listConsequences(transaction, first, context.clock()), ...listBatchEdits(transaction, first)];
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    const applied = applyOne(context, transaction, next.id, decideByEvent(next.event, next.reason));
    if (!applied.ok) continue;
    caused.push(applied.value);
    due.push(...listConsequences(transaction, applied.value, context.clock()));
  }
  return caused;
};

/** One change inside a transaction, with what it makes of other jobs; once that is on disk, `recordChange` tells of it. */
export const applyChange = (
  context: ChangeContext,
  transaction: Transaction,
  id: JobId,
  decide: Decide,
): Result<Changed, Refusal> => {
  const applied = applyOne(context, transaction, id, decide);
  if (!applied.ok) return applied;
  return ok({ ...applied.value, caused: applyConsequences(context, transaction, applied.value) });
};

/** Every change of a job that is there, whoever asks for it: on disk, with who is to hear of it, when this resolves. */
export const changeJob = async (
  context: ChangeContext,
  id: JobId,
  decide: Decide,
): Promise<Result<Changed, Refusal>> => {
  const written = await context.store.write((transaction) => applyChange(context, transaction, id, decide));
  if (!written.ok) return err(createUnavailable(written.error));
  if (written.value.ok) recordChange(context, written.value.value);
  return written.value;
};
