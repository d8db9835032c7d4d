import type { WireWait } from "../../shared/wait.ts";
import { connect } from "../connect.ts";
import { failUsage } from "../failure.ts";
import { readSwitch } from "../flag-values.ts";
import { escapeText, print, printJson } from "../output.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../verb.ts";

const describePlace = ({ ahead, position, queue_length: length }: WireWait): string => {
  if (position === null) return "";
  if (position === 1) return `It is the first of ${length} in the queue.`;
  const more = position - 1 - ahead.length;
  return `It is number ${position} of ${length} in the queue, after ${ahead.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (!id) return failUsage("nx why takes one job id (see nx queue)");
  const api = await connect(flags);
  if (!api.ok) return api;
  const wait = await api.value.get<WireWait>(`/v1/jobs/${encodeURIComponent(id)}/why`);
  if (!wait.ok) return wait;
  if (readSwitch(flags, "json")) printJson(wait.value);
  else for (const line of [`${wait.value.text}.`, describePlace(wait.value)]) if (line !== "") print(escapeText(line));
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
