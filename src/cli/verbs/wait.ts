import { err, ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { checkDuration, readDuration, readSwitch, readText } from "../../command-line/flag-values.ts";
import { FAILED } from "../../command-line/usage.ts";
import { withinLimit } from "../../tools/within-limit.ts";
import type { WireJob } from "../../wire/job.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { awaitEnds, type Ends } from "../jobs/await-ends.ts";
import { concludeJob, describeEnding } from "../jobs/job-ending.ts";
import { ALL_USERS, readOwner, selectJobs } from "../jobs/job-selection.ts";
import { ENDED_STATUSES } from "../jobs/list-flags.ts";
import { listJobs } from "../jobs/list-jobs.ts";
import { sayFiles, sayIfSlow } from "../jobs/say-kept.ts";
import { readUserName } from "../settings/user-name.ts";
import { hint, print } from "../terminal/output.ts";

type Ids = readonly string[];
type Ended = ReadonlyMap<string, WireJob>;

const LONGEST_MS = 2 ** 31 - 1;
const LEAST_TO_ASK_MS = 5_000;
const LINGER_MS = 200;
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

const tell = (job: WireJob, flags: FlagValues): void => {
  sayFiles(job);
  if (readSwitch(flags, "jsonl")) printRows([job], flags);
  else if (readSwitch(flags, "quiet") && !wantsJson(flags)) print(job.id);
};

type Collection = Readonly<{ ended: Ended; take: (job: WireJob) => void; close: () => void }>;

const createCollection = (flags: FlagValues): Collection => {
  const ended = new Map<string, WireJob>();
  const slow = new Map<string, () => void>();
  const take = (job: WireJob): void => {
    if (!ended.has(job.id) && !wantsJson(flags)) hint(describeEnding(job));
    ended.set(job.id, job);
    slow.get(job.id)?.();
    if (isSettled(job)) tell(job, flags);
    else slow.set(job.id, sayIfSlow());
  };
  const close = (): void => {
    for (const quiet of slow.values()) quiet();
    for (const job of ended.values()) if (!isSettled(job)) tell(job, flags);
  };
  return { ended, take, close };
};

const collect = async (ends: Ends, flags: FlagValues): Promise<Result<Ended, Failure>> => {
  const { ended, take, close } = createCollection(flags);
  for await (const job of ends) {
    if (!job.ok) return job;
    take(job.value);
  }
  close();
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

type Asked = Readonly<{ api: Api; jobs: readonly WireJob[] }>;

const ask = async (invocation: Invocation): Promise<Result<Asked, Failure>> => {
  const api = await connect(invocation.flags);
  if (!api.ok) return api;
  const jobs = await chooseJobs(api.value, invocation);
  return jobs.ok ? ok({ api: api.value, jobs: jobs.value }) : jobs;
};

const refuseSilence = (flags: FlagValues): Outcome =>
  err({
    exitCode: FAILED,
    code: "TIMEOUT",
    message: `the server has not answered within ${readText(flags, "timeout")}`,
    hint: "give it more time",
  });

const awaitAsked = async ({ api, jobs }: Asked, flags: FlagValues, signal: AbortSignal): Promise<Outcome> => {
  if (jobs.length === 0) hint("No job of yours is queued or running.");
  const ended = await collect(awaitEnds(api, jobs, { isAny: readSwitch(flags, "any"), signal }), flags);
  const ids = jobs.map(({ id }) => id);
  return ended.ok ? conclude(ids, ended.value, flags) : ended;
};

const leaveWhatIsPending = (): void => void setTimeout(() => process.exit(), LINGER_MS).unref();

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags } = invocation;
  const timeoutMs = readDuration(flags, "timeout");
  const limitMs = Math.min(timeoutMs ?? LONGEST_MS, LONGEST_MS);
  const signal = timeoutMs === null ? new AbortController().signal : AbortSignal.timeout(limitMs);
  const asked = await withinLimit(ask(invocation), Math.max(limitMs, LEAST_TO_ASK_MS));
  const outcome = asked?.ok ? await awaitAsked(asked.value, flags, signal) : (asked ?? refuseSilence(flags));
  if (asked === null || signal.aborted) leaveWhatIsPending();
  return outcome;
};

export const verb: Verb = listRows({
  name: "wait",
  usage: "nx wait [flags] [@BATCH, ID, GPU, name or regex…]",
  summary: "wait until jobs end (default: all of yours)",
  flags: [
    ALL_USERS,
    { long: "any", help: "until one of them ends" },
    { long: "timeout", value: "TIME", check: checkDuration, help: "at most 30s, 10m, 2h or 1d" },
    { long: "json", help: "the ended jobs as JSON" },
    { long: "quiet", short: "q", help: "each id once it has ended" },
  ],
  examples: ["nx wait k3f9ab", "nx wait && echo all done", "nx wait --any --timeout 10m k3f9ab m2x4cd"],
  run,
});
