import { escapeText } from "../../base/escape-text.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireWait } from "../../wire/wait.ts";
import { connect } from "../connection/connect.ts";
import { describeEstimates } from "../jobs/facts/estimate-text.ts";
import { formatMoment } from "../terminal/clock.ts";
import { formatDuration } from "../terminal/duration.ts";
import { print, printJson } from "../terminal/output.ts";

const describePlace = ({ ahead, position, queue_length: length }: WireWait): string => {
  if (position === null) return "";
  if (position === 1) return `It is the first of ${length} in the queue.`;
  const more = position - 1 - ahead.length;
  return `It is number ${position} of ${length} in the queue, after ${ahead.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
};

const describeEnd = ({ until }: WireWait): string =>
  until ? `That is ${formatMoment(Math.ceil(until))}, in ${formatDuration(until - Date.now() / 1000)}.` : "";

const describeKept = ({ reason }: WireWait): string =>
  reason === "cpus" || reason === "memory" ? "What comes free is" : "GPUs that come free are";

const describeKeeping = (wait: WireWait): string => {
  const { keeps_from: from = null, position, queue_length: length } = wait;
  const left = (from ?? 0) - Date.now() / 1000;
  const isBeforeOthers = position !== null && position < length;
  return left > 0 && isBeforeOthers
    ? `${describeKept(wait)} kept for it from ${formatMoment(from)}, in ${formatDuration(left)}.`
    : "";
};

const describeEstimate = ({ estimate = null }: Partial<WireWait>): string =>
  estimate === null ? "" : describeEstimates([estimate]);

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (!id) return failUsage("nx why takes one job id", "see nx queue");
  const api = await connect(flags);
  if (!api.ok) return api;
  const wait = await api.value.get<WireWait>(`/v1/jobs/${encodeURIComponent(id)}/why`);
  if (!wait.ok) return wait;
  if (readSwitch(flags, "json")) printJson(wait.value);
  else
    for (const line of [
      `${wait.value.text}.`,
      describeEnd(wait.value),
      describeKeeping(wait.value),
      describeEstimate(wait.value),
      describePlace(wait.value),
    ])
      if (line !== "") print(escapeText(line));
  return DONE;
};

export const verb: Verb = {
  name: "why",
  usage: "nx why ID",
  summary: "what a queued job waits for",
  flags: [{ long: "json", help: "as JSON" }],
  maxWords: 1,
  examples: ["nx why k3f9ab"],
  run,
};
