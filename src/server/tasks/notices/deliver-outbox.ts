import { recordChange } from "../../changes/record-change.ts";
import type { Couriers } from "../../core/notices/courier.ts";
import {
  type Attempt,
  FREE_LANE,
  findNextWait,
  isFree,
  type Lane,
  selectReady,
  type Traffic,
  updateLane,
} from "../../core/notices/delivery.ts";
import type { OutboxMessage } from "../../core/notices/outbox.ts";
import type { Transaction } from "../../core/store.ts";
import type { TaskContext } from "../context.ts";
import { sendMessage } from "./send-message.ts";
import { reportOutcome, type Settled, settleMessage } from "./settle-message.ts";

/** A courier has `timeoutMs`; `random` is from 0 to 1. */
export type PostOffice = Readonly<{ couriers: Couriers; timeoutMs: number; random: () => number }>;

/** `run` begins what is due and returns in how many milliseconds to look again; `stop` gives what is under way a moment. */
export type Delivery = Readonly<{ run: () => Promise<number>; stop: () => Promise<void> }>;

type Memory = Readonly<{
  lanes: Map<string, Lane>;
  sending: Map<number, OutboxMessage>;
  answered: Map<number, Attempt>;
  work: Set<Promise<void>>;
  stop: AbortController;
}>;

type Round = Readonly<{ settled: readonly Settled[]; ready: readonly OutboxMessage[] }>;

const LONGEST_SLEEP_MS = 60_000;
const STOP_GRACE_MS = 1000;

const createMemory = (): Memory => ({
  lanes: new Map(),
  sending: new Map(),
  answered: new Map(),
  work: new Set(),
  stop: new AbortController(),
});

const listUnderWay = ({ sending, answered }: Memory): readonly OutboxMessage[] =>
  [...sending.values()].filter(({ id }) => !answered.has(id));

type Heads = readonly OutboxMessage[];

const readTraffic = ({ clock, uptime }: TaskContext, memory: Memory): Traffic => ({
  lanes: memory.lanes,
  sending: listUnderWay(memory),
  now: clock(),
  uptime: uptime(),
});

const listReady = (context: TaskContext, memory: Memory, heads: Heads): readonly OutboxMessage[] =>
  selectReady(heads, readTraffic(context, memory));

const takeTurn = (context: TaskContext, transaction: Transaction, memory: Memory): Round => {
  const settled = [...memory.answered.values()].map((attempt) => settleMessage(context, transaction, attempt));
  const ready = listReady(context, memory, context.store.outbox.listHeads());
  for (const { id } of ready) transaction.outbox.markSending(id);
  return { settled, ready };
};

const forget = (context: TaskContext, memory: Memory, { attempt, outcome, change }: Settled): void => {
  memory.sending.delete(attempt.message.id);
  memory.answered.delete(attempt.message.id);
  reportOutcome(context, attempt.message, outcome);
  if (change !== null) recordChange(context, change);
};

const updateLanes = (lanes: Memory["lanes"], attempt: Attempt): void => {
  for (const [destination, lane] of lanes) if (isFree(lane, attempt.uptime)) lanes.delete(destination);
  const { destination } = attempt.message;
  lanes.set(destination, updateLane(lanes.get(destination) ?? FREE_LANE, attempt));
};

const begin = (context: TaskContext, memory: Memory, office: PostOffice): ((message: OutboxMessage) => void) => {
  const send = async (message: OutboxMessage): Promise<void> => {
    const answer = await sendMessage({ ...context, ...office }, message, memory.stop.signal);
    const times = { now: context.clock(), uptime: context.uptime() };
    const attempt: Attempt = { message, answer, ...times, random: office.random() };
    memory.answered.set(message.id, attempt);
    updateLanes(memory.lanes, attempt);
    context.wakes.outbox();
  };
  return (message) => {
    memory.sending.set(message.id, message);
    const work: Promise<void> = send(message).finally(() => memory.work.delete(work));
    memory.work.add(work);
  };
};

const chooseDelay = (context: TaskContext, memory: Memory, heads: Heads): number => {
  const wait = findNextWait(heads, readTraffic(context, memory));
  return wait === null ? LONGEST_SLEEP_MS : Math.min(Math.ceil(wait * 1000), LONGEST_SLEEP_MS);
};

const needsTurn = (context: TaskContext, memory: Memory, heads: Heads): boolean =>
  memory.answered.size > 0 || listReady(context, memory, heads).length > 0;

const writeOrThrow = async <Value>({ store }: TaskContext, change: (transaction: Transaction) => Value) => {
  const written = await store.write(change);
  if (written.ok) return written.value;
  throw new Error(written.error.message);
};

const workRound = async (context: TaskContext, memory: Memory): Promise<readonly OutboxMessage[]> => {
  const round = await writeOrThrow(context, (transaction) => takeTurn(context, transaction, memory));
  for (const settled of round.settled) forget(context, memory, settled);
  return round.ready;
};

const settleLast = async (context: TaskContext, { answered }: Memory): Promise<void> => {
  await context.store.write((transaction) => {
    for (const attempt of answered.values()) settleMessage(context, transaction, attempt);
  });
};

const createStop =
  (context: TaskContext, memory: Memory): Delivery["stop"] =>
  async () => {
    const timer = setTimeout(() => memory.stop.abort(), STOP_GRACE_MS);
    await Promise.all(memory.work);
    clearTimeout(timer);
    if (memory.answered.size > 0) await settleLast(context, memory);
  };

/**
 * Messages are marked as being sent on disk before they are, and what came of it after; answers are kept until they
 * can be written. Destinations are served side by side, each one message at a time.
 */
export const createDelivery = (context: TaskContext, office: PostOffice): Delivery => {
  const memory = createMemory();
  const beginMessage = begin(context, memory, office);
  let isRestored = false;
  const restore = async (): Promise<void> => {
    if (context.store.outbox.hasInterrupted()) {
      await writeOrThrow(context, ({ outbox }) => outbox.reclaimInterrupted());
    }
    isRestored = true;
  };
  const run = async (): Promise<number> => {
    if (!isRestored) await restore();
    const heads = context.store.outbox.listHeads();
    if (!needsTurn(context, memory, heads)) return chooseDelay(context, memory, heads);
    for (const message of await workRound(context, memory)) beginMessage(message);
    return chooseDelay(context, memory, context.store.outbox.listHeads());
  };
  return { run, stop: createStop(context, memory) };
};
