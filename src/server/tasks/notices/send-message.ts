import { describeError } from "../../../base/describe-error.ts";
import { err, type Result } from "../../../base/result.ts";
import type { Couriers, DeliveryError, Receipt } from "../../core/notices/courier.ts";
import type { OutboxMessage, Subject } from "../../core/notices/outbox.ts";
import { packMessage, type Shelf } from "./pack-message.ts";

type Post = Shelf & Readonly<{ couriers: Couriers; timeoutMs: number }>;

const LAST_WORD_MS = 100;

const GONE: Readonly<Record<Subject["kind"], string>> = {
  job: "its job is gone",
  batch: "its job is gone",
  machine: "its figures are gone",
};

type Delivered = Result<Receipt, DeliveryError>;

const giveUp = (message: string): Result<never, DeliveryError> =>
  err({ message, isFinal: true, isUncertain: false, retryAfterS: null });

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
    if (parcel === null) return giveUp(GONE[message.subject.kind]);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(post.timeoutMs)]);
    return await limitTime(courier.deliver(parcel, signal), signal);
  } catch (error) {
    return giveUp(describeError(error));
  }
};
