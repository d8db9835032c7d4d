import { z } from "zod";
import { ok } from "../../../base/result.ts";
import { LOG_ATTEMPT_HEADER, LOG_POSITION_HEADER } from "../../../wire/log-cut.ts";
import { logsSchema } from "../../../wire/node.ts";
import type { Job, JobId } from "../../core/jobs/job.ts";
import type { LogStart } from "../../core/running/executor.ts";
import type { ApiContext, RouteAnswer } from "../context.ts";
import { describeErrors, describeText, jsonContent } from "../http/describe-response.ts";
import { logsQuerySchema, streamQuerySchema } from "../http/query.ts";
import { type AttemptLog, findAttemptLog, isAttemptOver, isLastAttempt } from "../jobs/attempt-log.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { answerLog, chooseSince, TEXT_HEADERS } from "../jobs/read-log.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const errors = describeErrors("JOB_NOT_FOUND", "VALIDATION_ERROR", "INVALID_REQUEST", "NOT_FOUND");

const TAIL_DESCRIPTION = `Without \`last_n_lines\` at most the last 10 MiB, cut at a line. \`file=error\`: what went wrong around the job.
\`since\` (Unix seconds): only what was written since then, up to some seconds more, from the beginning of its line; refused of a job of an
earlier version, of whose log that is not noted. \`removed\` is there, and true, once the folder of an ended job was removed.
\`format=text\`: for reading, as text: without the lines of the recorder, with LF alone, and of a line that was drawn anew, as a progress bar is, its
last state. \`format=raw\`: the bytes of the file. With \`resumable\` the answer says in \`next\` where \`from\` goes on, which reads at
most 10 MiB. Without \`attempt\` it is the newest.`;

const LOG_CONTENT = {
  ...jsonContent(logsSchema),
  "text/plain": { schema: z.string() },
  "application/octet-stream": { schema: z.string().meta({ format: "binary" }) },
};

const tailSpec = {
  method: "get",
  path: "/v1/jobs/{id}/logs",
  tags: ["logs"],
  summary: "The output of a job",
  description: TAIL_DESCRIPTION.replaceAll("\n", " "),
  params: jobParams,
  query: logsQuerySchema,
  responses: { 200: { description: "The output", content: LOG_CONTENT }, ...errors },
} satisfies RouteSpec;

const STREAM_DESCRIPTION = `What is there, then what is written. Of a queued job: nothing until it starts. Where something was
left out of a log that is too large, a line says how much. With \`resumable\` the answer ends after such a line, and its
\`X-Nexus-Log-Position\` says at which byte of the log it begins. \`from\`, that byte and the length of what was read, goes on; after
such a line it is the byte at which the line began, with \`marked\`. \`since\` as of the tail. It goes on with the next attempts until the last
has ended; with \`resumable\`, \`from\`, \`since\` or \`attempt\` it is of one, which \`X-Nexus-Log-Attempt\` names.`;

const streamSpec = {
  method: "get",
  path: "/v1/jobs/{id}/logs/stream",
  tags: ["logs"],
  summary: "The output of a job, until it ends",
  description: STREAM_DESCRIPTION.replaceAll("\n", " "),
  seat: "follower",
  params: jobParams,
  query: streamQuerySchema,
  responses: { 200: describeText("The output", "text/plain"), ...errors },
} satisfies RouteSpec;

const STREAM_HEADERS = { ...TEXT_HEADERS, "X-Accel-Buffering": "no" };

const tail =
  (context: ApiContext): Handle<typeof tailSpec> =>
  async ({ params: { id }, query }) => {
    const job = findJob(context.store, id);
    return job.ok ? answerLog(context, job.value, query) : job;
  };

type Ask = (job: Job, attempt: number) => boolean;

const askOf =
  ({ store, isStopping }: ApiContext, id: JobId, ask: Ask) =>
  (attempt: number): boolean => {
    const job = store.findJob(id);
    return job === null || isStopping() || ask(job, attempt);
  };

type Resumed = Readonly<{ id: JobId; log: AttemptLog; start: LogStart }>;

const resume = async (context: ApiContext, { id, log, start }: Resumed): Promise<RouteAnswer> => {
  const isOver = askOf(context, id, isAttemptOver);
  const { position, bytes } = await log.logs.resume(id, start, () => isOver(log.number));
  const place = { [LOG_POSITION_HEADER]: String(position), [LOG_ATTEMPT_HEADER]: String(log.number) };
  return ok(new Response(bytes, { headers: { ...STREAM_HEADERS, ...place } }));
};

const followOn = (context: ApiContext, id: JobId, { number, lastLines }: Followed): RouteAnswer => {
  const [isOver, isLast] = [askOf(context, id, isAttemptOver), askOf(context, id, isLastAttempt)];
  const bytes = context.logs.follow(id, lastLines, { first: number, isOver, isLast });
  return ok(new Response(bytes, { headers: STREAM_HEADERS }));
};

type Followed = Readonly<{ number: number; lastLines: number | null }>;
type Following = Readonly<{
  id: JobId;
  query: z.output<typeof streamQuerySchema>;
  log: AttemptLog;
  since: number | null;
}>;

const follow = (context: ApiContext, { id, query, log, since }: Following): RouteAnswer | Promise<RouteAnswer> => {
  const { last_n_lines: lastLines = null, from, resumable, marked: isMarked, attempt } = query;
  const place = from === undefined ? null : { from, isMarked };
  const needsPlace = resumable || place !== null || since !== null || attempt !== undefined;
  if (needsPlace) return resume(context, { id, log, start: { lastLines, since, place } });
  return followOn(context, id, { number: log.number, lastLines });
};

const stream =
  (context: ApiContext): Handle<typeof streamSpec> =>
  async ({ request, params: { id }, query }) => {
    const job = findJob(context.store, id);
    if (!job.ok) return job;
    const log = findAttemptLog(context.logs, job.value, { asked: query.attempt, mayCome: true });
    if (!log.ok) return log;
    const since = await chooseSince(log.value, id, query.since);
    if (!since.ok) return since;
    if (request.req.method === "HEAD") return ok(new Response(null, { headers: STREAM_HEADERS }));
    return follow(context, { id, query, log: log.value, since: since.value });
  };

export const createJobLogRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(tailSpec, tail(context)),
  defineRoute(streamSpec, stream(context)),
];
