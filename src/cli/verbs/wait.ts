import { ok, type Result } from "../../shared/result.ts";
import type { Api } from "../api-client.ts";
import { awaitJob, isEnded } from "../await-job.ts";
import { connect } from "../connect.ts";
import { chooseExitCode, describeEnding } from "../job-ending.ts";
import { listJobs } from "../job-selection.ts";
import { hint } from "../output.ts";
import { readUserName } from "../user-name.ts";
import type { Failure, Invocation, Outcome, Verb } from "../verb.ts";

const chooseIds = async (api: Api, words: readonly string[]): Promise<Result<readonly string[], Failure>> => {
  if (words.length > 0) return ok(words);
  const user = encodeURIComponent(readUserName(api.target.config));
  const jobs = await listJobs(api, ["running", "queued"], `&user=${user}&limit=10000`);
  return jobs.ok ? ok(jobs.value.map((job) => job.id)) : jobs;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const ids = await chooseIds(api.value, words);
  if (!ids.ok) return ids;
  if (ids.value.length === 0) hint("No job of yours is queued or running.");
  let exitCode = 0;
  for (const id of ids.value) {
    const job = await awaitJob(api.value, encodeURIComponent(id), isEnded);
    if (!job.ok) return job;
    hint(describeEnding(job.value));
    if (exitCode === 0) exitCode = chooseExitCode(job.value);
  }
  return ok(exitCode);
};

export const verb: Verb = {
  name: "wait",
  usage: "nx wait [ID…]",
  summary: "wait until jobs end (default: all of yours)",
  flags: [],
  examples: ["nx wait k3f9ab", "nx wait && echo all done"],
  run,
};
