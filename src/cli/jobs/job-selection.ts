import { escapeText } from "../../base/escape-text.ts";
import { quoteWord } from "../../base/quote-word.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failMissing, failState, failUsage, NO_SUCH_THING } from "../../command-line/usage.ts";
import { createTextMatcher, type MatchText } from "../../mcp/text-matcher.ts";
import type { WireJob, WireStatus } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { readUserName } from "../settings/user-name.ts";
import { askJob, askJobs } from "./ask-job.ts";
import { ENDED_STATUSES } from "./list-flags.ts";
import { listJobs } from "./list-jobs.ts";
import { isGpuWord, readBatch, selectByWord } from "./words/job-words.ts";

const JOB_ID = /^[a-z0-9-]{1,64}$/;

/** Jobs of which statuses words select; an id may be of `idStatuses`, where that is another. A name or an expression selects those of `user`, all where it is null. */
export type Wanted = Readonly<{
  statuses: readonly WireStatus[];
  idStatuses?: readonly WireStatus[];
  user: string | null;
}>;

export const ALL_USERS: Flag = { long: "all-users", help: "names and expressions mean the jobs of all users" };

/** Whose jobs a name or an expression means. */
export const readOwner = (flags: FlagValues, { config }: Api["target"]): string | null =>
  readSwitch(flags, "all-users") ? null : readUserName(config);

type Jobs = Result<readonly WireJob[], Failure>;

const createMatcher = async (word: string): Promise<Result<MatchText, Failure>> => {
  const matches = await createTextMatcher(word);
  if (matches.ok) return matches;
  return failUsage(`"${escapeText(word)}" is no job, GPU or regular expression: ${matches.error.message}`);
};

const ADVICE: Readonly<Partial<Record<WireStatus, (what: string, word: string) => string>>> = {
  queued: (what, word) => `take ${what} out of the queue with: nx remove ${quoteWord(word)}`,
  running: (what, word) => `end ${what} with: nx kill ${quoteWord(word)}`,
};

const refuseStatus = (word: string, jobs: readonly WireJob[], { statuses }: Wanted): Result<never, Failure> => {
  const wanted = statuses.join(" or ");
  const [{ id, status } = { id: word, status: wanted }] = jobs;
  const advise = ADVICE[status as WireStatus];
  if (jobs.length === 1) return failState(`job ${id} is ${status}, not ${wanted}`, advise?.("it", id));
  const all = `the ${jobs.length} jobs that match "${escapeText(word)}"`;
  return failState(`${all} are ${status}, not ${wanted}`, advise?.("them", word));
};

const explainNone = (
  api: Api,
  word: string,
  { statuses, idStatuses }: Wanted,
  others: number,
): Promise<Jobs> | Jobs => {
  if (idStatuses !== undefined && JOB_ID.test(word)) return askJobs(api, [word]);
  const hint = `${others} of other users ${others === 1 ? "does" : "do"}: --all-users`;
  const none = `no ${statuses.join(" or ")} job matches "${escapeText(word)}"`;
  return failMissing(none, others === 0 ? undefined : hint);
};

const findById = async (api: Api, word: string, wanted: Wanted): Promise<Result<WireJob | null, Failure>> => {
  if (!JOB_ID.test(word)) return ok(null);
  const job = await askJob(api, word);
  if (!job.ok) return job.error.exitCode === NO_SUCH_THING ? ok(null) : job;
  const isWanted = (wanted.idStatuses ?? wanted.statuses).includes(job.value.status);
  return isWanted ? job : refuseStatus(word, [job.value], wanted);
};

const listBatch = (api: Api, batch: string, { statuses, idStatuses = statuses }: Wanted): Promise<Jobs> =>
  listJobs(api, { statuses: idStatuses, filters: { batch_id: batch } });

type Search = Readonly<{ word: string; wanted: Wanted; matches: MatchText }>;

const OTHER: Readonly<Partial<Record<WireStatus, WireStatus>>> = { running: "queued", queued: "running" };

const findOthers = async (api: Api, { word, wanted, matches }: Search): Promise<Jobs> => {
  const [status, ...more] = wanted.statuses;
  const other = status === undefined || more.length > 0 ? undefined : OTHER[status];
  if (other === undefined || (other === "queued" && isGpuWord(word))) return ok([]);
  const jobs = await listJobs(api, { statuses: [other] });
  const from = { user: wanted.user, hasGpus: other === "running" };
  return jobs.ok ? ok(selectByWord(jobs.value, { word, matches }, from)) : jobs;
};

const selectAmong = async (
  api: Api,
  jobs: readonly WireJob[],
  { word, wanted }: Readonly<{ word: string; wanted: Wanted }>,
): Promise<Jobs> => {
  const matcher = readBatch(word) === null ? await createMatcher(word) : ok(() => false);
  if (!matcher.ok) return matcher;
  const matches = matcher.value;
  const hasGpus = wanted.statuses.includes("running");
  const select = (user: string | null) => selectByWord(jobs, { word, matches }, { user, hasGpus });
  const selected = select(wanted.user);
  if (selected.length > 0) return ok(selected);
  const others = await findOthers(api, { word, wanted, matches });
  if (!others.ok) return others;
  if (others.value.length > 0) return refuseStatus(word, others.value, wanted);
  return explainNone(api, word, wanted, select(null).length);
};

const selectBy = async (api: Api, word: string, wanted: Wanted): Promise<Jobs> => {
  const batch = readBatch(word);
  const byId = batch === null ? await findById(api, word, wanted) : ok(null);
  if (!byId.ok) return byId;
  if (byId.value !== null) return ok([byId.value]);
  const jobs = await (batch === null ? listJobs(api, { statuses: wanted.statuses }) : listBatch(api, batch, wanted));
  return jobs.ok ? selectAmong(api, jobs.value, { word, wanted }) : jobs;
};

/** Jobs, each once, that the words select: `@BATCH`, an id, a GPU where running jobs are meant, a whole name, a regular expression over commands. */
export const selectJobs = async (api: Api, wanted: Wanted, words: readonly string[]): Promise<Jobs> => {
  if (words.includes("")) return failUsage("an empty word names no job");
  const chosen = new Map<string, WireJob>();
  for (const word of words) {
    const selected = await selectBy(api, word, wanted);
    if (!selected.ok) return selected;
    for (const job of selected.value) chosen.set(job.id, job);
  }
  return ok([...chosen.values()]);
};

const findOnGpu = async (api: Api, gpu: string): Promise<Result<WireJob, Failure>> => {
  const jobs = await api.get<readonly WireJob[]>(`/v1/jobs?status=running&gpu_index=${gpu}&limit=1`);
  if (!jobs.ok) return jobs;
  const [job] = jobs.value;
  return job === undefined ? failMissing(`no job runs on GPU ${gpu}`) : ok(job);
};

const findNewest = async (api: Api, user: string): Promise<Result<WireJob, Failure>> => {
  const running = await listJobs(api, { statuses: ["running"], user, most: 1 });
  if (!running.ok) return running;
  const ended = running.value.length > 0 ? running : await listJobs(api, { statuses: ENDED_STATUSES, user, most: 1 });
  if (!ended.ok) return ended;
  const [job] = ended.value;
  return job === undefined ? failMissing(`no job of ${user} has started yet`) : ok(job);
};

/** By id or GPU; without a word the user's newest started job. */
export const findJob = async (api: Api, word: string | undefined, user: string): Promise<Result<WireJob, Failure>> => {
  if (word === "") return failUsage("an empty word names no job");
  if (word === undefined) return findNewest(api, user);
  return isGpuWord(word) ? findOnGpu(api, word) : api.get<WireJob>(`/v1/jobs/${encodeURIComponent(word)}`);
};
