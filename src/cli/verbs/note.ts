import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { describeNoteMistake } from "../../wire/job-fields/label-rules.ts";
import { connect } from "../connection/connect.ts";
import { print, printJson } from "../terminal/output.ts";

const show = ({ id, note }: WireJob, flags: FlagValues): void =>
  print(readSwitch(flags, "quiet") ? id : `Job ${id} has ${note === null ? "no note any more" : "this note"}.`);

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id, ...rest] = words;
  if (!id || rest.length === 0)
    return failUsage("nx note takes a job id and a text", 'for example: nx note k3f9ab "diverges after 10k"');
  const note = rest.join(" ") || null;
  const mistake = note === null ? null : describeNoteMistake(note);
  if (mistake !== null) return failUsage(mistake);
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await api.value.send<WireJob>("PATCH", `/v1/jobs/${encodeURIComponent(id)}`, { note });
  if (!job.ok) return job;
  if (readSwitch(flags, "json")) printJson(job.value);
  else show(job.value, flags);
  return DONE;
};

export const verb: Verb = {
  name: "note",
  usage: "nx note ID TEXT",
  summary: "write down something about a job, whatever its state",
  flags: [
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "its id only" },
  ],
  examples: ['nx note k3f9ab "diverges after 10k steps"', 'nx note k3f9ab ""'],
  run,
};
