import type { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { cutLines, readFinalText, useLineFeeds } from "../../../wire/logs/final-lines.ts";
import { RECORDER_LINES } from "../../../wire/logs/recorder-filter.ts";
import { isEnded, type Job, type JobId } from "../../core/jobs/job.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { ApiContext } from "../context.ts";
import type { logsQuerySchema } from "../http/query.ts";
import { type AttemptLog, findAttemptLog } from "./attempt-log.ts";
import { readOnward } from "./read-onward.ts";

type LogsQuery = z.output<typeof logsQuerySchema>;

export const TEXT_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
};

const RAW_HEADERS = { "Content-Type": "application/octet-stream", "Cache-Control": "no-store" };

const TIMES_UNKNOWN = createRefusal(
  "INVALID_REQUEST",
  "When this log was written is not known: the job was started by an earlier version",
);

const ERRORS_WITHOUT_TIMES = createRefusal("INVALID_REQUEST", "Of what went wrong around a job no times are noted");

const ONWARD_ALONE = createRefusal("INVALID_REQUEST", "resumable and from can't be used with since or format");

/** Null where that is all of the log. */
export const chooseSince = async (
  { logs, startedAt }: AttemptLog,
  id: JobId,
  since: number | undefined,
): Promise<Result<number | null, Refusal>> => {
  if (since === undefined || startedAt === null || since <= startedAt) return ok(null);
  return (await logs.knowsTimes(id)) ? ok(since) : err(TIMES_UNKNOWN);
};

const countLines = ({ last_n_lines: lastLines, file, format }: LogsQuery): number | null => {
  if (lastLines === undefined) return null;
  return file === "output" && format === "text" ? lastLines + RECORDER_LINES : lastLines;
};

const readBytes = async (log: AttemptLog, job: Job, query: LogsQuery): Promise<Result<Uint8Array, Refusal>> => {
  const { logs } = log;
  if (query.file === "error" && query.since !== undefined) return err(ERRORS_WITHOUT_TIMES);
  if (query.file === "error") return ok(await logs.readErrors(job.id, countLines(query)));
  const since = await chooseSince(log, job.id, query.since);
  return since.ok ? ok(await logs.readTail(job.id, countLines(query), since.value)) : since;
};

const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

const describeText = (bytes: Uint8Array, { last_n_lines: lastLines, file }: LogsQuery): Response => {
  const text = file === "output" ? readFinalText(decode(bytes)) : useLineFeeds(decode(bytes));
  return new Response(cutLines(text, lastLines ?? null), { headers: TEXT_HEADERS });
};

const describeData = (bytes: Uint8Array, isRemoved: boolean, { since }: LogsQuery): Response =>
  Response.json({ data: useLineFeeds(decode(bytes)), ...(isRemoved ? { removed: true } : {}), since });

const isRemoved = async ({ logs }: AttemptLog, job: Job): Promise<boolean> =>
  isEnded(job) && job.startedAt !== null && logs.isRemoved(job.id);

const answerOnward = async (log: AttemptLog, job: Job, query: LogsQuery): Promise<Result<Response, Refusal>> => {
  const { from, last_n_lines: lastLines = Number.MAX_SAFE_INTEGER } = query;
  if (query.format !== "json" || query.since !== undefined) return err(ONWARD_ALONE);
  const place = from === undefined ? null : { from, isMarked: false };
  const read = await readOnward(log.logs, job.id, { lastLines, place });
  const isGone = read.data === "" && (await isRemoved(log, job));
  return ok(Response.json({ ...read, ...(isGone ? { removed: true } : {}) }));
};

const isOnward = ({ file, resumable, from }: LogsQuery): boolean =>
  file === "output" && (resumable || from !== undefined);

/** The end of a log, in the form that is asked for, or what came to it since a reading. */
export const answerLog = async (
  context: ApiContext,
  job: Job,
  query: LogsQuery,
): Promise<Result<Response, Refusal>> => {
  const log = findAttemptLog(context.logs, job, { asked: query.attempt });
  if (!log.ok) return log;
  if (isOnward(query)) return answerOnward(log.value, job, query);
  const read = await readBytes(log.value, job, query);
  if (!read.ok) return read;
  switch (query.format) {
    case "raw":
      return ok(new Response(read.value, { headers: RAW_HEADERS }));
    case "text":
      return ok(describeText(read.value, query));
    case "json":
      return ok(describeData(read.value, read.value.length === 0 && (await isRemoved(log.value, job)), query));
  }
};
