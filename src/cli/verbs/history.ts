import type { WireJob } from "../../shared/job.ts";
import { connect } from "../connect.ts";
import { readText } from "../flag-values.ts";
import { LIST_FLAGS, readLimit, showJobs } from "../job-list.ts";
import { printEnded } from "../job-text.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../verb.ts";

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const api = await connect(flags);
  if (!api.ok) return api;
  const query = new URLSearchParams([["limit", String(limit.value)]]);
  for (const status of ["completed", "failed", "killed"]) query.append("status", status);
  const user = readText(flags, "user");
  const isAll = user === null && words[0] === undefined;
  if (user !== null) query.set("user", user);
  if (words[0] !== undefined) query.set("command_regex", words[0]);
  const jobs = await api.value.get<readonly WireJob[]>(`/v1/jobs?${query}`);
  if (!jobs.ok) return jobs;
  const whenEmpty = isAll ? "No job has ended yet." : "No such job has ended yet.";
  showJobs(jobs.value.toReversed(), flags, { printTable: printEnded, whenEmpty });
  return DONE;
};

export const verb: Verb = {
  name: "history",
  usage: "nx history [flags] [regex]",
  summary: "the jobs that have ended, newest last",
  flags: LIST_FLAGS,
  maxWords: 1,
  examples: ["nx history", "nx history 'train.*lr 0.1' -n 5"],
  run,
};
