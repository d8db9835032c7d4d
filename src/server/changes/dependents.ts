import { err, ok, type Result } from "../../base/result.ts";
import { accountWait, type JobWaits } from "../core/jobs/fields/waits.ts";
import { isEnd, isEnded, type Job, type JobId, type JobStatus, type QueuedJob } from "../core/jobs/job.ts";
import { applyJobEvent, type JobEvent } from "../core/jobs/job-transition.ts";
import { createRefusal, createUnknownJob, type Refusal } from "../core/refusal.ts";
import type { Need, Transaction } from "../core/store.ts";

/** What is to happen to a job because of another one. */
export type Consequence = Readonly<{ id: JobId; event: JobEvent; reason: string }>;

type Lost = "failed" | "killed" | "removed";

const TELLS: Readonly<Record<Lost, string>> = { failed: "failed", killed: "was killed", removed: "was removed" };

const describeLost = (id: string, lost: Lost): string => `Job ${id}, which it waits for, ${TELLS[lost]}`;

const findLost = (status: JobStatus | null): Lost | null => {
  if (status === null) return "removed";
  return status === "failed" || status === "killed" ? status : null;
};

const listNeeds = ({ after, afterAny }: JobWaits): readonly Need[] => [
  ...(after ?? []).map((id) => ({ id: id as JobId, isAny: false })),
  ...(afterAny ?? []).map((id) => ({ id: id as JobId, isAny: true })),
];

const concludeFor = (lost: Lost | null, from: JobId, at: number): Omit<Consequence, "id"> => {
  if (lost === null) return { event: { kind: "edit", fields: { isWaiting: false } }, reason: `job ${from} has ended` };
  const reason = describeLost(from, lost);
  return { event: { kind: "abandon", at, reason }, reason };
};

/** What the end of a job, or its removal, makes of those that wait for it. */
export const listConsequences = (
  transaction: Transaction,
  { before, after }: Readonly<{ before: Job; after: Job | null }>,
  at: number,
): readonly Consequence[] => {
  if (isEnded(before) || (after !== null && !isEnded(after))) return [];
  transaction.setNeeds(before.id, []);
  const lost = findLost(after?.status ?? null);
  return transaction.listDependents(before.id).flatMap(({ id, isAny }) => {
    transaction.dropNeed(before.id, id);
    const conclusion = concludeFor(isAny ? null : lost, before.id, at);
    return conclusion.event.kind === "edit" && transaction.hasNeeds(id) ? [] : [{ id, ...conclusion }];
  });
};

/** Why a job can't wait for these: there is none of them, or one waits for the job itself. */
export const checkNeeds = (
  transaction: Pick<Transaction, "readStatus" | "leadsTo">,
  id: JobId | null,
  fields: JobWaits,
): Result<void, Refusal> => {
  const ids = listNeeds(fields).map((need) => need.id);
  if (ids.length === 0) return ok(undefined);
  const unknown = ids.find((one) => transaction.readStatus(one) === null);
  if (unknown !== undefined) return err(createUnknownJob(unknown));
  const isCircle = id !== null && transaction.leadsTo(ids, id);
  return isCircle ? err(createRefusal("INVALID_REQUEST", `Job ${id} would wait for itself`)) : ok(undefined);
};

/** The same job with what it waits for written down: failed where one of these can't complete any more. */
export const linkNeeds = (transaction: Transaction, job: QueuedJob, at: number): Job => {
  const judged = listNeeds(job).map((need) => ({ ...need, status: transaction.readStatus(need.id) }));
  const open = judged.filter(({ status }) => status !== null && !isEnd(status));
  transaction.setNeeds(job.id, open);
  const linked = accountWait({ ...job, isWaiting: open.length > 0 }, at);
  const lost = judged.find(({ isAny, status }) => !isAny && findLost(status) !== null);
  if (lost === undefined) return linked;
  const reason = describeLost(lost.id, findLost(lost.status) ?? "removed");
  const abandoned = applyJobEvent(linked, { kind: "abandon", at, reason });
  return abandoned.ok ? abandoned.value : linked;
};

export const hasAnyNeed = (job: JobWaits): boolean => listNeeds(job).length > 0;
