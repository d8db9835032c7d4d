import type { Result } from "../../../base/result.ts";
import type { DeliveryError, Receipt } from "./courier.ts";
import type { DeliveryOutcome, OutboxMessage } from "./outbox.ts";

/** How a destination fares: `failures` in a row, and until when it is left alone, by the server's uptime. */
export type Lane = Readonly<{ failures: number; pausedUntil: number }>;

type Lanes = ReadonlyMap<string, Lane>;

export type Attempt = Readonly<{
  message: OutboxMessage;
  answer: Result<Receipt, DeliveryError>;
  now: number;
  uptime: number;
  random: number;
}>;

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const MOST_AT_ONCE = 8;
const PACE_S = 0.5;

export const FREE_LANE: Lane = { failures: 0, pausedUntil: 0 };

/** Seconds after which a message is given up. */
export const LONGEST_LIFETIME_S: number = DAY_S;

const chooseLifetime = (channel: string): number => (channel === "phone" ? HOUR_S : DAY_S);

/** What becomes of the message. */
export const decideOutcome = ({ message, answer, now, random }: Attempt): DeliveryOutcome => {
  if (answer.ok) return { kind: "delivered", at: now, reference: answer.value.reference };
  const { error } = answer;
  const dueAt = now + chooseRetryDelay(message.attempts + 1, error.retryAfterS, random);
  const isTooLate = dueAt > message.createdAt + chooseLifetime(message.channel);
  if (error.isFinal || isTooLate) return { kind: "dead", at: now, error: error.message };
  return { kind: "retry", dueAt, error: error.message, isUncertain: error.isUncertain };
};

/** What becomes of the destination: it gets a moment before its next message, and longer and longer while it fails. */
export const updateLane = (lane: Lane, { answer, uptime, random }: Attempt): Lane => {
  if (answer.ok || answer.error.isFinal) return { failures: 0, pausedUntil: uptime + PACE_S };
  const failures = lane.failures + 1;
  return { failures, pausedUntil: uptime + chooseRetryDelay(failures, answer.error.retryAfterS, random) };
};

/** Whether nothing has to be remembered of the destination. */
export const isFree = ({ failures, pausedUntil }: Lane, uptime: number): boolean =>
  failures === 0 && pausedUntil <= uptime;

export type Traffic = Readonly<{ lanes: Lanes; sending: readonly OutboxMessage[]; now: number; uptime: number }>;

const findWait = ({ dueAt, destination }: OutboxMessage, { lanes, now, uptime }: Traffic): number =>
  Math.max(dueAt - now, (lanes.get(destination) ?? FREE_LANE).pausedUntil - uptime);

const isBusy = ({ sending }: Traffic, { destination }: OutboxMessage): boolean =>
  sending.some((message) => message.destination === destination);

const isFull = (sending: readonly OutboxMessage[], { channel }: OutboxMessage): boolean =>
  sending.filter((message) => message.channel === channel).length >= MOST_AT_ONCE;

/** Of the first messages of all destinations: one at a time for each destination, at most eight for each channel. */
export const selectReady = (heads: readonly OutboxMessage[], traffic: Traffic): readonly OutboxMessage[] => {
  const ready: OutboxMessage[] = [];
  for (const head of heads) {
    const isReady = !isBusy(traffic, head) && findWait(head, traffic) <= 0;
    if (isReady && !isFull([...traffic.sending, ...ready], head)) ready.push(head);
  }
  return ready;
};

/** Seconds until the next message may be sent that can't be yet; null when there is none. */
export const findNextWait = (heads: readonly OutboxMessage[], traffic: Traffic): number | null => {
  const waits = heads.map((head) => findWait(head, traffic)).filter((wait) => wait > 0);
  return waits.length === 0 ? null : Math.min(...waits);
};

const FIRST_DELAY_S = 1;
const LONGEST_DELAY_S = 900;
const SPREAD_S = 1;

/**
 * Seconds until the next attempt: doubled with each failure in a row up to 15 min, from half of that to all of it by
 * `random` (0 to 1). What the service asks for (`retryAfterS`) is never undercut.
 */
export const chooseRetryDelay = (failures: number, retryAfterS: number | null, random: number): number => {
  if (retryAfterS !== null) return retryAfterS + random * SPREAD_S;
  const longest = Math.min(FIRST_DELAY_S * 2 ** Math.max(0, failures - 1), LONGEST_DELAY_S);
  return longest * (0.5 + random / 2);
};
