import { describeError } from "../../../base/describe-error.ts";
import { err, type Result } from "../../../base/result.ts";
import { unpackRemoved } from "../../core/notices/batch-notice.ts";
import type { Couriers, DeliveryError, Parcel, Receipt } from "../../core/notices/courier.ts";
import { isOfMachine, unpackMachine } from "../../core/notices/machine-notice.ts";
import type { OutboxMessage } from "../../core/notices/outbox.ts";
import { LOG_CHANNEL } from "../../core/notices/plan-notices.ts";
import type { TaskContext } from "../context.ts";

type Post = Pick<TaskContext, "store" | "logs"> & Readonly<{ couriers: Couriers; timeoutMs: number }>;

const LAST_WORD_MS = 100;

type Delivered = Result<Receipt, DeliveryError>;

const EDITED: Readonly<Partial<Record<OutboxMessage["event"], readonly OutboxMessage["event"][]>>> = {
  run_found: ["started"],
  log_uploaded: ["completed", "failed", "killed"],
};

const giveUp = (message: string): Result<never, DeliveryError> =>
  err({ message, isFinal: true, isUncertain: false, retryAfterS: null });

const packMachine = (message: OutboxMessage, secrets: Parcel["secrets"]): Parcel => ({
  message,
  job: unpackMachine(message, secrets),
  secrets: {},
  batch: null,
  readLog: async () => new Uint8Array(),
  logUrl: null,
  editedReference: null,
});

const packMessage = ({ store, logs }: Post, message: OutboxMessage): Parcel | null => {
  const secrets = store.outbox.openSecrets(message.id);
  if (isOfMachine(message.event)) return packMachine(message, secrets);
  const job = store.findJob(message.jobId) ?? unpackRemoved(secrets);
  if (job === null) return null;
  const siblings = store.outbox.listOfJob(job.id);
  const isDigest = message.event === "batch_done" && job.batchId !== undefined;
  const edited = EDITED[message.event] ?? [];
  return {
    message,
    job,
    secrets,
    batch: isDigest ? store.outbox.findBatch(job.batchId) : null,
    readLog: (lastLines) => logs.readTail(job.id, lastLines),
    logUrl: siblings.find(({ channel }) => channel === LOG_CHANNEL)?.reference ?? null,
    editedReference:
      siblings.find(({ channel, event }) => channel === message.channel && edited.includes(event))?.reference ?? null,
  };
};

const limitTime = (work: Promise<Delivered>, signal: AbortSignal): Promise<Delivered> => {
  const late: DeliveryError = { message: "no answer in time", isFinal: false, isUncertain: true, retryAfterS: null };
  const { promise, resolve } = Promise.withResolvers<Delivered>();
  const stop = (): void => resolve(err(late));
  signal.addEventListener("abort", () => setTimeout(stop, LAST_WORD_MS), { once: true });
  void work.then(resolve, (error) => resolve(giveUp(describeError(error))));
  return promise;
};

/** Never rejects, and ends soon after the time limit or `stop`. */
export const sendMessage = async (post: Post, message: OutboxMessage, stop: AbortSignal): Promise<Delivered> => {
  const courier = post.couriers[message.channel];
  if (courier === undefined) return giveUp(`there is no channel ${message.channel} any more`);
  try {
    const parcel = packMessage(post, message);
    if (parcel === null) return giveUp("its job is gone");
    const signal = AbortSignal.any([stop, AbortSignal.timeout(post.timeoutMs)]);
    return await limitTime(courier.deliver(parcel, signal), signal);
  } catch (error) {
    return giveUp(describeError(error));
  }
};
