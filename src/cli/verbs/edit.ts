import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { connect } from "../connection/connect.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { readFields, toFlag } from "../fields/job-field.ts";
import { print, printJson } from "../terminal/output.ts";

const show = (job: WireJob, flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(job);
  else print(readSwitch(flags, "quiet") ? job.id : `Job ${job.id} is changed.`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (!id || words.length > 1) return failUsage("nx edit takes one job id", "see nx queue");
  const priority = readWhole(flags, "priority", { min: -9999, max: 9998 });
  if (!priority.ok) return priority;
  const gpus = readWhole(flags, "gpus", { min: 0, max: 1024 });
  if (!gpus.ok) return gpus;
  const command = readText(flags, "command");
  const fields = readFields(JOB_FIELDS, flags);
  if (command === null && priority.value === null && gpus.value === null && Object.keys(fields).length === 0)
    return failUsage("nx edit needs -c, -p, -g or another flag that says what to change");
  if (command?.trim() === "") return failUsage("--command takes a command that is not blank");
  const api = await connect(flags);
  if (!api.ok) return api;
  const patch = { command, priority: priority.value, num_gpus: gpus.value, ...fields };
  const job = await api.value.send<WireJob>("PATCH", `/v1/jobs/${encodeURIComponent(id)}`, patch);
  if (!job.ok) return job;
  show(job.value, flags);
  return DONE;
};

export const verb: Verb = {
  name: "edit",
  usage: "nx edit ID [flags]",
  summary: "change a queued job, or the name and note of any",
  flags: [
    { long: "command", short: "c", value: "COMMAND", help: "its command" },
    { long: "priority", short: "p", value: "N", help: "its priority" },
    { long: "gpus", short: "g", value: "N", help: "how many GPUs" },
    ...JOB_FIELDS.map(toFlag),
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "its id only" },
  ],
  examples: ["nx edit k3f9ab -p 10", "nx edit k3f9ab -c 'python3 train.py --lr 0.3'", "nx edit k3f9ab --name baseline"],
  run,
};
