import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { checkFields, wantsJson } from "../documents/rows.ts";
import { warnOfHalt } from "../jobs/halt-text.ts";
import { ALL_USERS, readOwner, selectJobs } from "../jobs/job-selection.ts";
import { printQueued } from "../jobs/job-text.ts";
import { LIST_FLAGS, readLimit, showJobs } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { hint } from "../terminal/output.ts";

const sayMore = (count: number, limit: number): void => {
  if (count > limit)
    hint(`${limit === 1 ? "The first is" : `The first ${limit} are`} shown; more with: nx queue --all`);
};

const isForPrograms = (flags: Invocation["flags"]): boolean => wantsJson(flags) || readSwitch(flags, "quiet");

const narrow = async (
  api: Api,
  jobs: readonly WireJob[],
  { flags, words }: Invocation,
): Promise<Result<readonly WireJob[], Failure>> => {
  if (words.length === 0) return ok(jobs);
  const user = readText(flags, "user") ?? readOwner(flags, api.target);
  const chosen = await selectJobs(api, { statuses: ["queued"], user }, words);
  if (!chosen.ok) return chosen;
  const ids = new Set(chosen.value.map(({ id }) => id));
  return ok(jobs.filter(({ id }) => ids.has(id)));
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags, words } = invocation;
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const checked = await checkFields(flags, "queue");
  if (!checked.ok) return checked;
  const api = await connect(flags);
  if (!api.ok) return api;
  const asked = {
    user: readText(flags, "user"),
    explain: wantsJson(flags),
    ...(words.length > 0 ? {} : { most: limit.value + 1 }),
  };
  const all = await listJobs(api.value, { statuses: ["queued"], ...asked });
  const jobs = all.ok ? await narrow(api.value, all.value, invocation) : all;
  if (!jobs.ok) return jobs;
  showJobs(jobs.value.slice(0, limit.value), flags, { printTable: printQueued, whenEmpty: "The queue is empty." });
  sayMore(jobs.value.length, limit.value);
  if (jobs.value.length > 0 && !isForPrograms(flags)) await warnOfHalt(api.value);
  return DONE;
};

export const verb: Verb = {
  name: "queue",
  usage: "nx queue [flags] [@BATCH, ID, name or regex…]",
  summary: "the waiting jobs, in start order",
  flags: [...LIST_FLAGS, ALL_USERS],
  examples: ["nx queue", "nx queue -u ada --json"],
  run,
};
