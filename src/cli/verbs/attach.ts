import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failState, failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { findJob } from "../jobs/job-selection.ts";
import { readUserName } from "../settings/user-name.ts";
import { canShowTerminal } from "../terminal/is-terminal.ts";

const attach = async (api: Api, job: WireJob, isWatching: boolean): Promise<Outcome> => {
  if (job.status === "queued") return failState(`job ${job.id} is queued`, "it has a terminal once it runs");
  if (job.status !== "running")
    return failState(`job ${job.id} is ${job.status}`, `see its output with nx logs ${job.id}`);
  const { attachToJob } = await import("../attach/attach-job.ts");
  return attachToJob(api, job.id, isWatching);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length > 1) return failUsage("nx attach takes one job id or GPU");
  if (!canShowTerminal()) return failUsage("nx attach needs a terminal", "use nx logs -F elsewhere");
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
