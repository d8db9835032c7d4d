import { LONGEST_LIFETIME_S } from "../../core/notices/delivery.ts";
import type { TaskContext } from "../context.ts";
import { reportOutcome } from "./settle-message.ts";

const INTERVAL_MS = 600_000;
const KEPT_S = 30 * 86_400;

/** Gives up messages that no one waits for any more and drops old ones; returns in how many milliseconds to look again. */
export const expireOutbox = async (context: TaskContext): Promise<number> => {
  const { store, clock, log } = context;
  const now = clock();
  const expiry = { now, createdBefore: now - LONGEST_LIFETIME_S, finishedBefore: now - KEPT_S };
  if (!store.outbox.hasExpired(expiry)) return INTERVAL_MS;
  const written = await store.write(({ outbox }) => outbox.expire(expiry));
  if (!written.ok) log.error("old notifications could not be dropped", { message: written.error.message });
  for (const message of written.ok ? written.value : [])
    reportOutcome(context, message, { kind: "dead", at: now, error: message.error ?? "" });
  return INTERVAL_MS;
};
