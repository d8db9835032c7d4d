import { ok, type Result } from "../../base/result.ts";
import type { Failure, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { awaitJob, isEnded } from "../jobs/await-job.ts";
import { chooseExitCode, describeEnding } from "../jobs/job-ending.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { sayKept } from "../jobs/say-kept.ts";
import { readUserName } from "../settings/user-name.ts";
import { hint, print, printJson } from "../terminal/output.ts";

const findNamed = async (
  api: Api,
  words: readonly [string, ...string[]],
): Promise<Result<readonly string[], Failure>> => {
  const [first] = words;
  const known = await api.get<WireJob>(`/v1/jobs/${encodeURIComponent(first)}`);
  return known.ok ? ok(words) : known;
};

const chooseIds = async (
  api: Api,
  [first, ...others]: readonly string[],
): Promise<Result<readonly string[], Failure>> => {
  if (first === "" || others.includes("")) return failUsage("an empty word names no job");
  if (first !== undefined) return findNamed(api, [first, ...others]);
  const user = readUserName(api.target.config);
  const jobs = await listJobs(api, { statuses: ["running", "queued"], user });
  return jobs.ok ? ok(jobs.value.map((job) => job.id)) : jobs;
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const ids = await chooseIds(api.value, words);
  if (!ids.ok) return ids;
  if (ids.value.length === 0) hint("No job of yours is queued or running.");
  const ended: WireJob[] = [];
  for (const id of ids.value) {
    const job = await awaitJob(api.value, encodeURIComponent(id), isEnded);
    if (!job.ok) return job;
    hint(describeEnding(job.value));
    ended.push(await sayKept(api.value, job.value));
    if (readSwitch(flags, "quiet")) print(job.value.id);
  }
  if (readSwitch(flags, "json")) printJson(ended);
  return ok(ended.map(chooseExitCode).find((code) => code !== 0) ?? 0);
};

export const verb: Verb = {
  name: "wait",
  usage: "nx wait [flags] [ID…]",
  summary: "wait until jobs end (default: all of yours)",
  flags: [
    { long: "json", help: "the ended jobs as JSON" },
    { long: "quiet", short: "q", help: "each id once it has ended" },
  ],
  examples: ["nx wait k3f9ab", "nx wait && echo all done"],
  run,
};
