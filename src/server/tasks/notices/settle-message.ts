import { applyChange, type Decide, decideByEvent } from "../../changes/change-job.ts";
import type { Changed } from "../../changes/record-change.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";
import { type Attempt, decideOutcome } from "../../core/notices/delivery.ts";
import { type DeliveryOutcome, findJobId, type Notice, type OutboxMessage } from "../../core/notices/outbox.ts";
import { EDITING_CHANNEL, LOG_CHANNEL, nameDestination } from "../../core/notices/plan-notices.ts";
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
  const { channel, subject } = message;
  if (channel !== EDITING_CHANNEL || subject.kind !== "job" || subject.event !== "started") return null;
  const changed = applyChange(context, transaction, subject.jobId, addMessageId(reference));
  return changed.ok ? changed.value : null;
};

const isSentEnding = ({ channel, subject, state }: OutboxMessage): boolean =>
  channel === EDITING_CHANNEL && subject.event !== "started" && (state === "delivered" || state === "sending");

const planLogEdit = (context: TaskContext, jobId: JobId, log: OutboxMessage): readonly Notice[] => {
  const job = context.store.findJob(jobId);
  const channel = context.channels.find(({ name }) => name === EDITING_CHANNEL);
  const isDue = context.store.outbox.listOfJob(jobId).some(isSentEnding);
  if (job === null || channel === undefined || !isDue || !isEnded(job)) return [];
  const secrets = context.store.outbox.openSecrets(log.id);
  const now = context.clock();
  return [
    {
      subject: { kind: "job", event: "log_uploaded", jobId },
      channel: channel.name,
      destination: nameDestination(channel, secrets),
      ...{ secrets, createdAt: now, dueAt: now },
    },
  ];
};

/** Writes down what became of an attempt, with what follows from it. */
export const settleMessage = (context: TaskContext, transaction: Transaction, attempt: Attempt): Settled => {
  const { message } = attempt;
  const outcome = decideOutcome(attempt);
  const isDelivered = outcome.kind === "delivered" && outcome.reference !== null;
  const loggedJob = message.channel === LOG_CHANNEL ? findJobId(message.subject) : null;
  const edits = isDelivered && loggedJob !== null ? planLogEdit(context, loggedJob, message) : [];
  transaction.outbox.settle(message.id, outcome);
  if (loggedJob !== null && outcome.kind !== "retry") transaction.outbox.release(loggedJob, context.clock());
  transaction.outbox.enqueue(edits);
  const change = isDelivered ? keepMessageId(context, transaction, { message, reference: outcome.reference }) : null;
  return { attempt, outcome, change };
};

/** Tells of an outcome that is on disk, in the log and in figures. */
export const reportOutcome = (
  { log, clock, meter }: TaskContext,
  { subject, channel }: OutboxMessage,
  outcome: DeliveryOutcome,
): void => {
  meter.countDelivery(channel, outcome.kind);
  const fields = { job_id: findJobId(subject) ?? undefined, channel, event: subject.event };
  if (outcome.kind === "delivered") log.info("notification delivered", fields);
  else if (outcome.kind === "dead") log.error("notification given up", { ...fields, message: outcome.error });
  else {
    const retryInS = Math.ceil(outcome.dueAt - clock());
    log.warn("notification failed", { ...fields, message: outcome.error, retry_in_s: retryInS });
  }
};
