import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { checkDuration, readDuration, readSwitch, readText } from "../../command-line/flag-values.ts";
import { FAILED } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { checkFields, printRows, ROW_FLAGS, wantsJson } from "../documents/rows.ts";
import { awaitJobs, isEnded } from "../jobs/await-job.ts";
import { concludeJob, describeEnding } from "../jobs/job-ending.ts";
import { ALL_USERS, readOwner, selectJobs } from "../jobs/job-selection.ts";
import { ENDED_STATUSES } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { sayKept } from "../jobs/say-kept.ts";
import { readUserName } from "../settings/user-name.ts";
import { hint, print } from "../terminal/output.ts";

type Ids = readonly string[];
type Ends = AsyncGenerator<Result<WireJob, Failure>>;
type Ended = ReadonlyMap<string, WireJob>;

const LONGEST_MS = 2 ** 31 - 1;
const SHOWN = 5;

const ANY_STATUS = ["running", "queued", ...ENDED_STATUSES] as const;

const chooseJobs = async (api: Api, { flags, words }: Invocation): Promise<Result<readonly WireJob[], Failure>> => {
  const wanted = {
    statuses: ["running", "queued"],
    idStatuses: ANY_STATUS,
    user: readOwner(flags, api.target),
  } as const;
  if (words.length > 0) return selectJobs(api, wanted, words);
  return listJobs(api, { statuses: ["running", "queued"], user: readUserName(api.target.config) });
};

const findEnds = async function* (api: Api, jobs: readonly WireJob[], limitMs: number | null): Ends {
  yield* jobs.filter(isEnded).map(ok);
  const signal = limitMs === null ? new AbortController().signal : AbortSignal.timeout(Math.min(limitMs, LONGEST_MS));
  const ids = jobs.filter((job) => !isEnded(job)).map(({ id }) => id);
  yield* awaitJobs(api, { ids, isIt: isEnded, signal });
};

const tell = (job: WireJob, flags: FlagValues): void => {
  if (readSwitch(flags, "jsonl")) printRows([job], flags);
  else if (readSwitch(flags, "quiet") && !wantsJson(flags)) print(job.id);
};

const collect = async (api: Api, jobs: readonly WireJob[], flags: FlagValues): Promise<Result<Ended, Failure>> => {
  const ended = new Map<string, WireJob>();
  for await (const job of findEnds(api, jobs, readDuration(flags, "timeout"))) {
    if (!job.ok) return job;
    hint(describeEnding(job.value));
    const settled = await sayKept(api, job.value);
    ended.set(settled.id, settled);
    tell(settled, flags);
    if (readSwitch(flags, "any")) break;
  }
  return ok(ended);
};

const refuseLate = (ids: Ids, late: Ids, flags: FlagValues): Outcome => {
  const what = ids.length === 1 ? `job ${ids[0]} has` : `${late.length} of ${ids.length} jobs have`;
  const named = `${late.slice(0, SHOWN).join(" ")}${late.length > SHOWN ? " …" : ""}`;
  const message = `${what} not ended within ${readText(flags, "timeout")}`;
  return err({ exitCode: FAILED, code: "TIMEOUT", message, hint: `wait on with: nx wait ${named}` });
};

const conclude = (ids: Ids, ended: Ended, flags: FlagValues): Outcome => {
  const jobs = ids.flatMap((id) => ended.get(id) ?? []);
  if (wantsJson(flags) && !readSwitch(flags, "jsonl")) printRows(jobs, flags);
  const late = ids.filter((id) => !ended.has(id));
  const isEnough = readSwitch(flags, "any") ? ended.size > 0 : late.length === 0;
  if (!isEnough && ids.length > 0) return refuseLate(ids, late, flags);
  const outcomes = jobs.map((job) => concludeJob(job, wantsJson(flags)));
  return outcomes.find((outcome) => !outcome.ok || outcome.value !== 0) ?? ok(0);
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags } = invocation;
  const checked = await checkFields(flags, "wait");
  if (!checked.ok) return checked;
  const api = await connect(flags);
  if (!api.ok) return api;
  const jobs = await chooseJobs(api.value, invocation);
  if (!jobs.ok) return jobs;
  if (jobs.value.length === 0) hint("No job of yours is queued or running.");
  const ended = await collect(api.value, jobs.value, flags);
  const ids = jobs.value.map(({ id }) => id);
  return ended.ok ? conclude(ids, ended.value, flags) : ended;
};

export const verb: Verb = {
  name: "wait",
  usage: "nx wait [flags] [@BATCH, ID, GPU, name or regex…]",
  summary: "wait until jobs end (default: all of yours)",
  flags: [
    ALL_USERS,
    { long: "any", help: "until one of them ends" },
    { long: "timeout", value: "TIME", check: checkDuration, help: "at most 30s, 10m, 2h or 1d" },
    { long: "json", help: "the ended jobs as JSON" },
    ...ROW_FLAGS,
    { long: "quiet", short: "q", help: "each id once it has ended" },
  ],
  examples: ["nx wait k3f9ab", "nx wait && echo all done", "nx wait --any --timeout 10m k3f9ab m2x4cd"],
  run,
};
