import type { Result } from "../../shared/result.ts";
import type { DeliveryError, Receipt } from "./courier.ts";
import type { OutboxMessage, Outcome } from "./outbox.ts";
import { chooseRetryDelay } from "./retry-delay.ts";

/** How a destination fares: `failures` in a row, and until when it is left alone. */
export type Lane = Readonly<{ failures: number; pausedUntil: number }>;

type Lanes = ReadonlyMap<string, Lane>;

export type Attempt = Readonly<{
  message: OutboxMessage;
  answer: Result<Receipt, DeliveryError>;
  now: number;
  random: number;
}>;

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const MOST_AT_ONCE = 8;

export const FREE_LANE: Lane = { failures: 0, pausedUntil: 0 };

/** Seconds after which a message is given up. */
export const LONGEST_LIFETIME_S: number = DAY_S;

const chooseLifetime = (channel: string): number => (channel === "phone" ? HOUR_S : DAY_S);

/** What becomes of the message. */
export const decideOutcome = ({ message, answer, now, random }: Attempt): Outcome => {
  if (answer.ok) return { kind: "delivered", at: now, reference: answer.value.reference };
  const { error } = answer;
  const dueAt = now + chooseRetryDelay(message.attempts + 1, error.retryAfterS, random);
  const isTooLate = dueAt > message.createdAt + chooseLifetime(message.channel);
  if (error.isFinal || isTooLate) return { kind: "dead", at: now, error: error.message };
  return { kind: "retry", dueAt, error: error.message, isUncertain: error.isUncertain };
};

/** What becomes of the destination: one that fails is left alone for longer and longer. */
export const updateLane = (lane: Lane, { answer, now, random }: Attempt): Lane => {
  if (answer.ok || answer.error.isFinal) return FREE_LANE;
  const failures = lane.failures + 1;
  return { failures, pausedUntil: now + chooseRetryDelay(failures, answer.error.retryAfterS, random) };
};

const findTurn = (message: OutboxMessage, lanes: Lanes): number =>
  Math.max(message.dueAt, lanes.get(message.destination)?.pausedUntil ?? 0);

type Traffic = Readonly<{ lanes: Lanes; sending: readonly OutboxMessage[]; now: number }>;

const isBusy = ({ sending }: Traffic, { destination }: OutboxMessage): boolean =>
  sending.some((message) => message.destination === destination);

const isFull = (sending: readonly OutboxMessage[], { channel }: OutboxMessage): boolean =>
  sending.filter((message) => message.channel === channel).length >= MOST_AT_ONCE;

/** Of the first messages of all destinations: one at a time for each destination, at most eight for each channel. */
export const selectReady = (heads: readonly OutboxMessage[], traffic: Traffic): readonly OutboxMessage[] => {
  const ready: OutboxMessage[] = [];
  for (const head of heads) {
    const isReady = !isBusy(traffic, head) && findTurn(head, traffic.lanes) <= traffic.now;
    if (isReady && !isFull([...traffic.sending, ...ready], head)) ready.push(head);
  }
  return ready;
};

/** When the next message may be sent that can't be yet; null when there is none. */
export const findNextTurn = (heads: readonly OutboxMessage[], traffic: Traffic): number | null => {
  const turns = heads.map((head) => findTurn(head, traffic.lanes)).filter((turn) => turn > traffic.now);
  return turns.length === 0 ? null : Math.min(...turns);
};
