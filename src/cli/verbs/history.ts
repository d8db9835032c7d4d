import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import { readPast } from "../../command-line/read-moment.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { isJobName } from "../../wire/job-fields/label-rules.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import { connect } from "../connection/connect.ts";
import { listRows } from "../documents/rows.ts";
import { askJob } from "../jobs/ask-job.ts";
import { ALL_USERS, readOwner } from "../jobs/job-selection.ts";
import { printEnded } from "../jobs/job-text.ts";
import { ENDED_STATUSES, LIST_FLAGS, readLimit, showJobs } from "../jobs/list-flags.ts";
import { type JobsAsked, listJobs } from "../jobs/list-jobs.ts";
import { readBatch } from "../jobs/words/job-words.ts";
import { hint } from "../terminal/output.ts";

type Wanted = Readonly<{
  since: number | null;
  until: number | null;
  exit: number | null;
  gpu: number | null;
  batch: string | null;
  name: string | null;
}>;

const MOST_EXIT_CODE = 255;
const JOB_ID = /^[a-z0-9-]{1,64}$/;
const MOST_GPU = 9999;

const readWanted = (flags: FlagValues): Result<Wanted, Failure> => {
  const since = readPast(flags, "since");
  if (!since.ok) return since;
  const until = readPast(flags, "until");
  if (!until.ok) return until;
  if (since.value !== null && until.value !== null && since.value > until.value)
    return failUsage("--since is later than --until: nothing ended in between");
  const exit = readWhole(flags, "exit", { min: 0, max: MOST_EXIT_CODE });
  if (!exit.ok) return exit;
  const gpu = readWhole(flags, "gpu", { min: 0, max: MOST_GPU });
  if (!gpu.ok) return gpu;
  const [batch, name] = [readText(flags, "batch"), readText(flags, "name")];
  return ok({ since: since.value, until: until.value, exit: exit.value, gpu: gpu.value, batch, name });
};

const listFilters = ({ since, until, exit, gpu, batch, name }: Wanted): Readonly<Record<string, string>> => ({
  ...(since === null ? {} : { ended_since: String(since) }),
  ...(until === null ? {} : { ended_until: String(until) }),
  ...(exit === null ? {} : { exit_code: String(exit) }),
  ...(gpu === null ? {} : { gpu_index: String(gpu) }),
  ...(batch === null ? {} : { batch_id: readBatch(batch) ?? batch }),
  ...(name === null ? {} : { name }),
});

const isWanted = (job: WireJob, { since, until, exit, batch, name }: Wanted): boolean =>
  (batch === null || job.batch_id === (readBatch(batch) ?? batch)) &&
  (name === null || job.name === name) &&
  (since === null || (job.completed_at ?? 0) >= since) &&
  (until === null || (job.completed_at ?? 0) <= until) &&
  (exit === null || job.exit_code === exit);

const listWanted = async (api: Api, asked: JobsAsked, wanted: Wanted): ApiResult<readonly WireJob[]> => {
  const jobs = await listJobs(api, { ...asked, filters: listFilters(wanted) });
  const knowsFilters = !jobs.ok || jobs.value.every((job) => isWanted(job, wanted));
  if (knowsFilters) return jobs;
  const { most: _most, ...all } = asked;
  const every = await listJobs(api, {
    ...all,
    filters: listFilters({ ...wanted, since: null, until: null, exit: null, batch: null, name: null }),
  });
  return every.ok ? ok(every.value.filter((job) => isWanted(job, wanted)).slice(0, asked.most)) : every;
};

type Looked = Readonly<{ asked: JobsAsked; wanted: Wanted; flags: FlagValues; word: string | undefined }>;

const listOwn = async (api: Api, { asked, wanted, flags }: Looked, word: string): ApiResult<readonly WireJob[]> => {
  const own = { ...asked, user: asked.user ?? readOwner(flags, api.target) };
  const named = isJobName(word) ? await listWanted(api, own, { ...wanted, name: word }) : ok([]);
  return named.ok && named.value.length === 0 ? listWanted(api, { ...own, regex: word }, wanted) : named;
};

const listByWord = async (api: Api, looked: Looked): ApiResult<readonly WireJob[]> => {
  const { asked, wanted, word } = looked;
  if (word === undefined) return listWanted(api, asked, wanted);
  if (readBatch(word) !== null) return listWanted(api, asked, { ...wanted, batch: word });
  const byId = JOB_ID.test(word) ? await askJob(api, word) : null;
  if (byId?.ok === true && asked.statuses.includes(byId.value.status))
    return ok(isWanted(byId.value, wanted) ? [byId.value] : []);
  return listOwn(api, looked, word);
};

const sayMore = (count: number, limit: number): void => {
  if (count > limit)
    hint(`${limit === 1 ? "The last is" : `The last ${limit} are`} shown; more with: nx history --all`);
};

const isNarrowed = ({ flags, words }: Invocation): boolean =>
  words.length > 0 ||
  ["user", "failed", "since", "until", "exit", "gpu", "batch", "name"].some((name) => flags[name] !== undefined);

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags, words } = invocation;
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const wanted = readWanted(flags);
  if (!wanted.ok) return wanted;
  const api = await connect(flags);
  if (!api.ok) return api;
  const statuses = readSwitch(flags, "failed") ? (["failed"] as const) : ENDED_STATUSES;
  const asked = { statuses, user: readText(flags, "user"), most: limit.value + 1 };
  const jobs = await listByWord(api.value, { asked, wanted: wanted.value, flags, word: words[0] });
  if (!jobs.ok) return jobs;
  const whenEmpty = isNarrowed(invocation) ? "No such job has ended yet." : "No job has ended yet.";
  showJobs(jobs.value.slice(0, limit.value).toReversed(), flags, { printTable: printEnded, whenEmpty });
  sayMore(jobs.value.length, limit.value);
  return DONE;
};

export const verb: Verb = listRows({
  name: "history",
  usage: "nx history [flags] [@BATCH, ID, name or regex]",
  summary: "the jobs that have ended, newest last",
  flags: [
    ...LIST_FLAGS,
    { long: "failed", help: "only those that failed" },
    { long: "since", value: "TIME", help: "ended since then: 2d (ago), 18:30, 2026-12-01" },
    { long: "until", value: "TIME", help: "ended until then" },
    { long: "exit", value: "CODE", help: "only with this exit code" },
    { long: "gpu", value: "GPU", help: "only of this GPU" },
    { long: "name", value: "NAME", help: "only of this name" },
    { long: "batch", value: "BATCH", help: "only of this batch" },
    ALL_USERS,
  ],
  maxWords: 1,
  examples: ["nx history", "nx history 'train.*lr 0.1' -n 5", "nx history --failed --since 2d"],
  run,
});
