import { escapeText } from "../../base/escape-text.ts";
import type { WireDelivery } from "../../wire/delivery.ts";
import { formatDuration } from "../terminal/duration.ts";

const EVENTS: Readonly<Record<WireDelivery["event"], string>> = {
  started: "started",
  run_found: "W&B page",
  completed: "completed",
  failed: "failed",
  killed: "killed",
  log_uploaded: "log's address",
  files_expire: "files go soon",
  waits_for_input: "waits for input",
  vram_exceeded: "more GPU memory",
  gpus_idle: "GPUs idle",
  log_silent: "log silent",
  retried: "tried again",
  batch_done: "batch",
  unhealthy: "machine unhealthy",
  recovered: "machine recovered",
  disk_low: "disk nearly full",
};

const describeWait = ({ attempts, error, next_attempt_at: next }: WireDelivery): string => {
  if (attempts === 0) return "waits";
  const seconds = (next ?? 0) - Date.now() / 1000;
  return `tried ${attempts === 1 ? "once" : `${attempts} times`}, again ${seconds > 0 ? `in ${formatDuration(seconds)}` : "soon"} (${error ?? "no answer"})`;
};

const describeDelivered = ({ reference, uncertain }: WireDelivery): string => {
  if (reference?.startsWith("http")) return reference;
  return uncertain ? "delivered, perhaps twice: an earlier attempt may have arrived" : "delivered";
};

const describeState = (delivery: WireDelivery): string => {
  switch (delivery.state) {
    case "waiting":
      return describeWait(delivery);
    case "sending":
      return "being sent";
    case "delivered":
      return describeDelivered(delivery);
    case "dead":
      return `given up: ${delivery.error ?? "no answer"}`;
  }
};

/** A line for each: who was told what, and whether it arrived. */
export const describeDeliveries = (deliveries: readonly WireDelivery[]): readonly string[] =>
  deliveries.map((delivery) =>
    escapeText(`${delivery.channel}, ${EVENTS[delivery.event] ?? delivery.event}: ${describeState(delivery)}`),
  );
