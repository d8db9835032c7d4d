import { applyChange, type Decide, decideByEvent } from "../../changes/change-job.ts";
import type { Changed } from "../../changes/record-change.ts";
import { isEnded } from "../../core/jobs/job.ts";
import { type Attempt, decideOutcome } from "../../core/notices/delivery.ts";
import type { DeliveryOutcome, Notice, OutboxMessage } from "../../core/notices/outbox.ts";
import { EDITING_CHANNEL, LOG_CHANNEL } from "../../core/notices/plan-notices.ts";
import type { Transaction } from "../../core/store.ts";
import type { TaskContext } from "../context.ts";

const FIRST_MESSAGE_KEY = "discord_start_job";

/** What became of an attempt, and of its job where that knows of it. */
export type Settled = Readonly<{ attempt: Attempt; outcome: DeliveryOutcome; change: Changed | null }>;

const addMessageId =
  (reference: string): Decide =>
  (job, transaction) => {
    const known = "notificationMessages" in job ? job.notificationMessages : {};
    const notificationMessages = { ...known, [FIRST_MESSAGE_KEY]: reference };
    const event = { kind: "report", reports: { notificationMessages } } as const;
    return decideByEvent(event, "its first message was delivered")(job, transaction);
  };

const keepMessageId = (
  context: TaskContext,
  transaction: Transaction,
  { message, reference }: Readonly<{ message: OutboxMessage; reference: string }>,
): Changed | null => {
  if (message.channel !== EDITING_CHANNEL || message.event !== "started") return null;
  const changed = applyChange(context, transaction, message.jobId, addMessageId(reference));
  return changed.ok ? changed.value : null;
};

const isSentEnding = ({ channel, event, state }: OutboxMessage): boolean =>
  channel === EDITING_CHANNEL && event !== "started" && (state === "delivered" || state === "sending");

const planLogEdit = (context: TaskContext, log: OutboxMessage): readonly Notice[] => {
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
export const settleMessage = (context: TaskContext, transaction: Transaction, attempt: Attempt): Settled => {
  const { message } = attempt;
  const outcome = decideOutcome(attempt);
  const isDelivered = outcome.kind === "delivered" && outcome.reference !== null;
  const edits = isDelivered && message.channel === LOG_CHANNEL ? planLogEdit(context, message) : [];
  transaction.outbox.settle(message.id, outcome);
  if (message.channel === LOG_CHANNEL && outcome.kind !== "retry")
    transaction.outbox.release(message.jobId, context.clock());
  transaction.outbox.enqueue(edits);
  const change = isDelivered ? keepMessageId(context, transaction, { message, reference: outcome.reference }) : null;
  return { attempt, outcome, change };
};

/** Tells of an outcome that is on disk, in the log and in figures. */
export const reportOutcome = (
  { log, clock, meter }: TaskContext,
  message: OutboxMessage,
  outcome: DeliveryOutcome,
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
