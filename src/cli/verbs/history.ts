import type { WireJob } from "../../shared/job.ts";
import { connect } from "../connect.ts";
import { readSwitch, readText, readWhole } from "../flag-values.ts";
import { printEnded } from "../job-text.ts";
import { hint, print, printJson } from "../output.ts";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../verb.ts";

const DEFAULT_SHOWN = 25;
const ALL = 10_000;

const show = (jobs: readonly WireJob[], flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(jobs);
  else if (readSwitch(flags, "quiet")) for (const job of jobs) print(job.id);
  else if (jobs.length === 0) hint("No job has ended yet.");
  else printEnded(jobs);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const count = readWhole(flags, "count", { min: 1, max: ALL });
  if (!count.ok) return count;
  const api = await connect(flags);
  if (!api.ok) return api;
  const limit = readSwitch(flags, "all") ? ALL : (count.value ?? DEFAULT_SHOWN);
  const query = new URLSearchParams([["limit", String(limit)]]);
  for (const status of ["completed", "failed", "killed"]) query.append("status", status);
  const user = readText(flags, "user");
  if (user !== null) query.set("user", user);
  if (words[0] !== undefined) query.set("command_regex", words[0]);
  const jobs = await api.value.get<readonly WireJob[]>(`/v1/jobs?${query}`);
  if (!jobs.ok) return jobs;
  show(jobs.value.toReversed(), flags);
  return DONE;
};

export const verb: Verb = {
  name: "history",
  usage: "nx history [flags] [regex]",
  summary: "the jobs that have ended, newest last",
  flags: [
    { long: "user", short: "u", value: "NAME", help: "only this user's" },
    { long: "count", short: "n", value: "N", help: "how many (default: 25)" },
    { long: "all", help: "all of them" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "ids only" },
  ],
  maxWords: 1,
  examples: ["nx history", "nx history 'train.*lr 0.1' -n 5"],
  run,
};
