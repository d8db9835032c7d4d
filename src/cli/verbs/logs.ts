import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch, readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Logs } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { isEnded } from "../jobs/await-job.ts";
import { followJob } from "../jobs/follow-job.ts";
import { findJob } from "../jobs/job-selection.ts";
import { describeFilesAtEnd } from "../jobs/kept-text.ts";
import { filterLog } from "../jobs/log-filter.ts";
import { readUserName } from "../settings/user-name.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, printJson, write } from "../terminal/output.ts";
import { makeSafe } from "../terminal/terminal-safety.ts";

const MAX_LINES = 10_000_000;
const TRAILER_LINES = 2;

const cutLines = (text: string, count: number | null): string => {
  if (count === null || text === "") return text;
  const lines = text.replace(/\n$/, "").split("\n");
  return `${lines.slice(-count).join("\n")}\n`;
};

const hintRemoved = ({ id }: WireJob): void =>
  hint(`The log of job ${id} is no longer there: the server keeps folders of ended jobs for a while only.`);

const follow = async (api: Api, job: WireJob, count: number | null): Promise<Outcome> => {
  if (job.completed_at !== null) {
    const logs = await api.get<Logs>(`/v1/jobs/${job.id}/logs?last_n_lines=1`);
    if (logs.ok && logs.value.removed) hintRemoved(job);
  }
  return followJob(api, job.id, count);
};

const showWithEnd = (job: WireJob, log: string): void => {
  write(log);
  if (isEnded(job)) for (const line of describeFilesAtEnd(job)) hint(line);
};

const show = async (
  api: Api,
  job: WireJob,
  facts: Readonly<{ count: number | null; flags: FlagValues }>,
): Promise<Outcome> => {
  const query = facts.count === null ? "" : `?last_n_lines=${facts.count + TRAILER_LINES}`;
  const logs = await api.get<Logs>(`/v1/jobs/${job.id}/logs${query}`);
  if (!logs.ok) return logs;
  if (logs.value.removed) hintRemoved(job);
  if (job.status === "queued") hint(`Job ${job.id} has not started yet.`);
  if (readSwitch(facts.flags, "json")) printJson(logs.value);
  else showWithEnd(job, cutLines(filterLog(logs.value.data, isTerminal("output")), facts.count));
  return DONE;
};

const showErrors = async (
  api: Api,
  job: WireJob,
  facts: Readonly<{ count: number | null; flags: FlagValues }>,
): Promise<Outcome> => {
  const lines = facts.count === null ? "" : `&last_n_lines=${facts.count}`;
  const logs = await api.get<Logs>(`/v1/jobs/${job.id}/logs?file=error${lines}`);
  if (!logs.ok) return logs;
  if (logs.value.removed) hintRemoved(job);
  if (readSwitch(facts.flags, "json")) printJson(logs.value);
  else if (logs.value.data === "") hint(`Nothing went wrong around job ${job.id}.`);
  else write(isTerminal("output") ? makeSafe(logs.value.data) : logs.value.data);
  return DONE;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length > 1) return failUsage("nx logs takes one job id or GPU");
  if (readSwitch(flags, "follow") && readSwitch(flags, "json"))
    return failUsage("nx logs -F shows a log as it grows, which is no JSON", "wait for its end with: nx wait --json");
  const count = readWhole(flags, "lines", { min: 1, max: MAX_LINES });
  if (!count.ok) return count;
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await findJob(api.value, words[0], readUserName(api.value.target.config));
  if (!job.ok) return job;
  if (readSwitch(flags, "error")) return showErrors(api.value, job.value, { count: count.value, flags });
  if (readSwitch(flags, "follow")) return follow(api.value, job.value, count.value);
  return show(api.value, job.value, { count: count.value, flags });
};

export const verb: Verb = {
  name: "logs",
  usage: "nx logs [flags] [ID or GPU]",
  summary: "what a job printed (default: your newest)",
  flags: [
    { long: "lines", short: "n", value: "N", help: "the last N lines" },
    { long: "follow", short: "F", help: "go on until the job ends" },
    { long: "error", help: "what went wrong around the job (its error.log)" },
    { long: "json", help: "as JSON" },
  ],
  examples: ["nx logs", "nx logs -n 20 k3f9ab", "nx logs -F 0"],
  run,
};
