import type { WireJob } from "../../shared/job.ts";
import type { Api } from "../api-client.ts";
import { connect } from "../connect.ts";
import { fail, failUsage } from "../failure.ts";
import { readSwitch } from "../flag-values.ts";
import { findJob } from "../job-selection.ts";
import { canShowTerminal } from "../terminal.ts";
import { readUserName } from "../user-name.ts";
import type { Invocation, Outcome, Verb } from "../verb.ts";

const attach = async (api: Api, job: WireJob, isWatching: boolean): Promise<Outcome> => {
  if (job.status === "queued") return fail(`job ${job.id} is queued: it has a terminal once it runs`);
  if (job.status !== "running") return fail(`job ${job.id} is ${job.status}: see its output with nx logs ${job.id}`);
  const { attachToJob } = await import("../attach-job.ts");
  return attachToJob(api, job.id, isWatching);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length > 1) return failUsage("nx attach takes one job id or GPU");
  if (!canShowTerminal()) return failUsage("nx attach needs a terminal; use nx logs -F elsewhere");
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await findJob(api.value, words[0], readUserName(api.value.target.config));
  return job.ok ? attach(api.value, job.value, readSwitch(flags, "watch")) : job;
};

export const verb: Verb = {
  name: "attach",
  usage: "nx attach [flags] [ID or GPU]",
  summary: "open a running job's terminal (default: your newest)",
  flags: [{ long: "watch", short: "w", help: "only look: what you type does not reach the job" }],
  examples: ["nx attach k3f9ab", "nx attach --watch 0"],
  run,
};
