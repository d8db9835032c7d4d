import type { WireJob } from "../../shared/job.ts";
import { connect } from "../connect.ts";
import { failUsage } from "../failure.ts";
import { readSwitch } from "../flag-values.ts";
import { describeJob } from "../job-text.ts";
import { dim, print, printJson } from "../output.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../verb.ts";

const NAME_WIDTH = 10;

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (id === undefined || words.length > 1) return failUsage("nx get takes one job id (see nx queue and nx history)");
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await api.value.get<WireJob>(`/v1/jobs/${encodeURIComponent(id)}`);
  if (!job.ok) return job;
  if (readSwitch(flags, "json")) printJson(job.value);
  else for (const [name, value] of describeJob(job.value)) print(`${dim(name.padEnd(NAME_WIDTH))}${value}`);
  return DONE;
};

export const verb: Verb = {
  name: "get",
  usage: "nx get ID",
  summary: "all about one job",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx get k3f9ab"],
  run,
};
