import { escapeText } from "../../base/escape-text.ts";
import { quoteWord } from "../../base/quote-word.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failMissing, failState, failUsage, NO_SUCH_THING } from "../../command-line/usage.ts";
import { createTextMatcher, type MatchText } from "../../mcp/text-matcher.ts";
import type { WireJob, WireStatus } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { askJob } from "./ask-job.ts";
import { ENDED_STATUSES } from "./list-flags.ts";
import { listJobs } from "./list-jobs.ts";

type Wanted = "running" | "queued";

const IS_GPU = /^\d{1,2}$/;
const JOB_ID = /^[a-z0-9-]{1,64}$/;

const createMatcher = async (word: string): Promise<Result<MatchText, Failure>> => {
  const matches = await createTextMatcher(word);
  if (matches.ok) return matches;
  return failUsage(`"${escapeText(word)}" is no job, GPU or regular expression: ${matches.error.message}`);
};

const selectBy = async (
  jobs: readonly WireJob[],
  word: string,
  status: Wanted,
): Promise<Result<readonly WireJob[], Failure>> => {
  const byId = jobs.filter((job) => job.id === word);
  if (byId.length > 0) return ok(byId);
  if (status === "running" && IS_GPU.test(word)) return ok(jobs.filter((job) => job.gpu_idxs.includes(Number(word))));
  const matches = await createMatcher(word);
  return matches.ok ? ok(jobs.filter((job) => matches.value(job.command))) : matches;
};

const ADVICE: Readonly<Partial<Record<WireStatus, (what: string, word: string) => string>>> = {
  queued: (what, word) => `take ${what} out of the queue with: nx remove ${quoteWord(word)}`,
  running: (what, word) => `end ${what} with: nx kill ${quoteWord(word)}`,
};

const refuseStatus = (word: string, jobs: readonly WireJob[], wanted: Wanted): Result<never, Failure> => {
  const [{ id, status } = { id: word, status: wanted }] = jobs;
  if (jobs.length === 1) return failState(`job ${id} is ${status}, not ${wanted}`, ADVICE[status]?.("it", id));
  const all = `the ${jobs.length} jobs that match "${escapeText(word)}"`;
  return failState(`${all} are ${status}, not ${wanted}`, ADVICE[status]?.("them", word));
};

const findOthers = async (api: Api, word: string, wanted: Wanted): Promise<Result<readonly WireJob[], Failure>> => {
  const job = JOB_ID.test(word) ? await askJob(api, word) : null;
  if (job?.ok) return ok([job.value]);
  if (job !== null && job.error.exitCode !== NO_SUCH_THING) return job;
  if (wanted === "running" && IS_GPU.test(word)) return ok([]);
  const status = wanted === "running" ? "queued" : "running";
  const jobs = await listJobs(api, { statuses: [status] });
  return jobs.ok ? selectBy(jobs.value, word, status) : jobs;
};

const explainNone = async (api: Api, word: string, wanted: Wanted): Promise<Result<never, Failure>> => {
  const others = await findOthers(api, word, wanted);
  if (!others.ok) return others;
  return others.value.length === 0
    ? failMissing(`no ${wanted} job matches "${escapeText(word)}"`)
    : refuseStatus(word, others.value, wanted);
};

/** Jobs of one status, each once: by id or regular expression over the command; a number is a running job's GPU. */
export const selectJobs = async (
  api: Api,
  status: Wanted,
  words: readonly string[],
): Promise<Result<readonly WireJob[], Failure>> => {
  if (words.includes("")) return failUsage("an empty word names no job");
  const jobs = await listJobs(api, { statuses: [status] });
  if (!jobs.ok) return jobs;
  const chosen = new Map<string, WireJob>();
  for (const word of words) {
    const selected = await selectBy(jobs.value, word, status);
    if (!selected.ok) return selected;
    if (selected.value.length === 0) return explainNone(api, word, status);
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
  return IS_GPU.test(word) ? findOnGpu(api, word) : api.get<WireJob>(`/v1/jobs/${encodeURIComponent(word)}`);
};
