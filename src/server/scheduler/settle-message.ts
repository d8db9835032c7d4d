import { type Attempt, decideOutcome } from "../core/delivery.ts";
import { isEnded, type Job } from "../core/job.ts";
import { applyJobEvent } from "../core/job-transition.ts";
import type { Notice, OutboxMessage, Outcome } from "../core/outbox.ts";
import { EDITING_CHANNEL, LOG_CHANNEL } from "../core/plan-notices.ts";
import type { Transaction } from "../core/ports.ts";
import type { SchedulerContext } from "./context.ts";

const FIRST_MESSAGE_KEY = "discord_start_job";

type Change = Readonly<{ before: Job; after: Job; reason: string }>;

/** What became of an attempt, and of its job where that knows of it. */
export type Settled = Readonly<{ attempt: Attempt; outcome: Outcome; change: Change | null }>;

const keepMessageId = (
  transaction: Transaction,
  { channel, event, jobId }: OutboxMessage,
  reference: string,
): Change | null => {
  const before = channel === EDITING_CHANNEL && event === "started" ? transaction.findJob(jobId) : null;
  if (before === null || !("notificationMessages" in before)) return null;
  const notificationMessages = { ...before.notificationMessages, [FIRST_MESSAGE_KEY]: reference };
  const reported = applyJobEvent(before, { kind: "report", reports: { notificationMessages } });
  if (!reported.ok) return null;
  transaction.saveJob(reported.value);
  return { before, after: reported.value, reason: "its first message was delivered" };
};

const isSentEnding = ({ channel, event, state }: OutboxMessage): boolean =>
  channel === EDITING_CHANNEL && event !== "started" && (state === "delivered" || state === "sending");

const planLogEdit = (context: SchedulerContext, log: OutboxMessage): readonly Notice[] => {
  const job = context.store.findJob(log.jobId);
  const channel = context.channels.find(({ name }) => name === EDITING_CHANNEL);
  const isDue = context.store.outbox.listOfJob(log.jobId).some(isSentEnding);
  if (job === null || channel === undefined || !isDue || !isEnded(job)) return [];
  const secrets = context.store.outbox.openSecrets(log.id);
  const destination = `${channel.name} ${channel.findDestination(job, secrets)}`;
  const now = context.clock();
  return [
    { jobId: job.id, channel: channel.name, event: "log_uploaded", destination, secrets, createdAt: now, dueAt: now },
  ];
};

/** Writes down what became of an attempt, with what follows from it. */
export const settleMessage = (context: SchedulerContext, transaction: Transaction, attempt: Attempt): Settled => {
  const { message } = attempt;
  const outcome = decideOutcome(attempt);
  const isDelivered = outcome.kind === "delivered" && outcome.reference !== null;
  const edits = isDelivered && message.channel === LOG_CHANNEL ? planLogEdit(context, message) : [];
  transaction.outbox.settle(message.id, outcome);
  if (message.channel === LOG_CHANNEL && outcome.kind !== "retry")
    transaction.outbox.release(message.jobId, context.clock());
  transaction.outbox.enqueue(edits);
  const change = isDelivered ? keepMessageId(transaction, message, outcome.reference) : null;
  return { attempt, outcome, change };
};

/** Tells of an outcome that is on disk, in the log and in figures. */
export const reportOutcome = (
  { log, clock, meter }: SchedulerContext,
  message: OutboxMessage,
  outcome: Outcome,
): void => {
  meter.countDelivery(message.channel, outcome.kind);
  const fields = { job_id: message.jobId, channel: message.channel, event: message.event };
  if (outcome.kind === "delivered") log.info("notification delivered", fields);
  else if (outcome.kind === "dead") log.error("notification given up", { ...fields, message: outcome.error });
  else {
    const retryInS = Math.ceil(outcome.dueAt - clock());
    log.warn("notification failed", { ...fields, message: outcome.error, retry_in_s: retryInS });
  }
};
