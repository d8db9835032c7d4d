import type { WireDelivery } from "../../../wire/delivery.ts";
import type { MessageState, OutboxMessage } from "./outbox.ts";

const toWireState = (state: MessageState): WireDelivery["state"] =>
  state === "blocked" || state === "pending" ? "waiting" : state;

export const toWireDelivery = (message: OutboxMessage): WireDelivery => ({
  channel: message.channel,
  event: message.subject.event,
  state: toWireState(message.state),
  attempts: message.attempts,
  uncertain: message.isUncertain,
  created_at: message.createdAt,
  next_attempt_at: toWireState(message.state) === "waiting" ? message.dueAt : null,
  finished_at: message.finishedAt,
  error: message.error,
  reference: message.reference,
});
