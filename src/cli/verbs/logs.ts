import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import { cutLines, readFinalText, useLineFeeds } from "../../wire/logs/final-lines.ts";
import { RECORDER_LINES, type TextFilter } from "../../wire/logs/recorder-filter.ts";
import type { Logs } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { isEnded } from "../jobs/await-job.ts";
import { followJob } from "../jobs/follow-job.ts";
import { findJob } from "../jobs/job-selection.ts";
import { describeFilesAtEnd } from "../jobs/kept-text.ts";
import { createLineFilter, filterLines, renderJsonLine } from "../logs/line-filter.ts";
import { LOG_FLAGS, type LogRequest, readLogRequest } from "../logs/log-request.ts";
import { readUserName } from "../settings/user-name.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, printJson, write } from "../terminal/output.ts";
import { makeSafe } from "../terminal/terminal-safety.ts";

const TOO_OLD = "the server is of an earlier version and knows no --since: upgrade it";

const hintRemoved = ({ id }: WireJob): void =>
  hint(`The log of job ${id} is no longer there: the server keeps folders of ended jobs for a while only.`);

const renderPath = ({ id }: WireJob, facts: Readonly<Record<string, string | number | null>>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(facts)) if (value !== null) query.set(name, String(value));
  return `/v1/jobs/${id}/logs?${query}`;
};

const readLogs = async (api: Api, job: WireJob, request: LogRequest): Promise<Result<Logs, Failure>> => {
  const { count, since, attempt, matches, isError } = request;
  const lines = count === null || matches !== null ? null : count + (isError ? 0 : RECORDER_LINES);
  const logs = await api.get<Logs>(
    renderPath(job, { last_n_lines: lines, since, attempt, file: isError ? "error" : null }),
  );
  if (logs.ok && since !== null && logs.value.since === undefined) return fail(TOO_OLD);
  return logs;
};

const finish = ({ data }: Logs, { count, matches, isError }: LogRequest): string => {
  const text = isError ? useLineFeeds(data) : readFinalText(data);
  return cutLines(matches === null ? text : filterLines(text, matches), count);
};

const sayWhy = (job: WireJob, logs: Logs, text: string, { matches, since, isError }: LogRequest): void => {
  if (logs.removed) hintRemoved(job);
  else if (job.status === "queued" && !job.attempts?.length) hint(`Job ${job.id} has not started yet.`);
  else if (text !== "") return;
  else if (matches !== null) hint("No line matches.");
  else if (since !== null) hint("Nothing was written since then.");
  else if (isError) hint(`Nothing went wrong around job ${job.id}.`);
};

const show = async (api: Api, job: WireJob, request: LogRequest): Promise<Outcome> => {
  const logs = await readLogs(api, job, request);
  if (!logs.ok) return logs;
  const text = finish(logs.value, request);
  sayWhy(job, logs.value, text, request);
  if (request.isJson) printJson({ ...logs.value, data: text });
  else write(isTerminal("output") ? makeSafe(text) : text);
  if (!request.isJson && !request.isError && isEnded(job)) for (const line of describeFilesAtEnd(job)) hint(line);
  return DONE;
};

const isJson = ({ headers }: Response): boolean => headers.get("content-type")?.startsWith("application/json") ?? false;

const showRaw = async (api: Api, job: WireJob, { count, since, attempt, isError }: LogRequest): Promise<Outcome> => {
  const facts = { format: "raw", last_n_lines: count, since, attempt, file: isError ? "error" : null };
  const answer = await api.open(renderPath(job, facts), new AbortController().signal);
  if (!answer.ok) return answer;
  if (isJson(answer.value)) return fail("the server is of an earlier version and knows no --raw: upgrade it");
  write(await answer.value.bytes());
  return DONE;
};

const chooseFilter = ({ matches, isRaw, isJson: isLines }: LogRequest): TextFilter | null | undefined => {
  if (isRaw) return null;
  if (isLines) return createLineFilter({ matches: matches ?? (() => true), render: renderJsonLine });
  const render = (line: string): string => `${isTerminal("output") ? makeSafe(line) : line}\n`;
  return matches === null ? undefined : createLineFilter({ matches, render });
};

const checkFollowed = async (api: Api, job: WireJob, request: LogRequest): Promise<Result<null, Failure>> => {
  if (job.completed_at === null && request.since === null) return ok(null);
  const logs = await readLogs(api, job, { ...request, count: 1, matches: null });
  if (logs.ok && logs.value.removed) hintRemoved(job);
  return logs.ok || request.since === null ? ok(null) : logs;
};

const follow = async (api: Api, job: WireJob, request: LogRequest): Promise<Outcome> => {
  const checked = await checkFollowed(api, job, request);
  if (!checked.ok) return checked;
  const view = { lastLines: request.count, since: request.since };
  const isPlain = chooseFilter(request) === undefined;
  return followJob(api, job.id, isPlain ? view : { ...view, createFilter: () => chooseFilter(request) ?? null });
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length > 1) return failUsage("nx logs takes one job id or GPU");
  const request = await readLogRequest(flags);
  if (!request.ok) return request;
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await findJob(api.value, words[0], readUserName(api.value.target.config));
  if (!job.ok) return job;
  const { isFollowed, isRaw } = request.value;
  if (isFollowed) return follow(api.value, job.value, request.value);
  return isRaw ? showRaw(api.value, job.value, request.value) : show(api.value, job.value, request.value);
};

export const verb: Verb = {
  name: "logs",
  usage: "nx logs [flags] [ID or GPU]",
  summary: "what a job printed (default: your newest)",
  flags: LOG_FLAGS,
  examples: ["nx logs", "nx logs -n 20 k3f9ab", "nx logs -F 0", "nx logs --search 'loss|nan' --since 10m"],
  run,
};
