import type { WireJob } from "../../shared/job.ts";
import { connect } from "../connect.ts";
import { readSwitch, readText, readWhole } from "../flag-values.ts";
import { printQueued } from "../job-text.ts";
import { hint, print, printJson } from "../output.ts";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../verb.ts";

const DEFAULT_SHOWN = 25;
const ALL = 10_000;

const show = (jobs: readonly WireJob[], flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(jobs);
  else if (readSwitch(flags, "quiet")) for (const job of jobs) print(job.id);
  else if (jobs.length === 0) hint("The queue is empty.");
  else printQueued(jobs);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const count = readWhole(flags, "count", { min: 1, max: ALL });
  if (!count.ok) return count;
  const api = await connect(flags);
  if (!api.ok) return api;
  const limit = readSwitch(flags, "all") ? ALL : (count.value ?? DEFAULT_SHOWN);
  const user = readText(flags, "user");
  const who = user === null ? "" : `&user=${encodeURIComponent(user)}`;
  const jobs = await api.value.get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${limit}${who}`);
  if (!jobs.ok) return jobs;
  show(jobs.value, flags);
  if (jobs.value.length === limit) hint(`The first ${limit} are shown; more with: nx queue --all`);
  return DONE;
};

export const verb: Verb = {
  name: "queue",
  usage: "nx queue [flags]",
  summary: "the waiting jobs, in start order",
  flags: [
    { long: "user", short: "u", value: "NAME", help: "only this user's" },
    { long: "count", short: "n", value: "N", help: "how many (default: 25)" },
    { long: "all", help: "all of them" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "ids only" },
  ],
  maxWords: 0,
  examples: ["nx queue", "nx queue -u ada --json"],
  run,
};
