import type { z } from "zod";
import { ok } from "../../../base/result.ts";
import { LOG_POSITION_HEADER } from "../../../wire/log-cut.ts";
import { type Logs, logsSchema } from "../../../wire/node.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";
import type { LogStart } from "../../core/running/executor.ts";
import type { ApiContext, RouteAnswer } from "../context.ts";
import { describeErrors, describeJson, describeText } from "../http/describe-response.ts";
import { logsQuerySchema, streamQuerySchema } from "../http/query.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { readOnward } from "../jobs/read-onward.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

type TailQuery = z.output<typeof logsQuerySchema>;

const errors = describeErrors("JOB_NOT_FOUND", "VALIDATION_ERROR");

const tailSpec = {
  method: "get",
  path: "/v1/jobs/{id}/logs",
  tags: ["logs"],
  summary: "The output of a job",
  description:
    "Without `last_n_lines` at most the last 10 MiB, cut at a line. `file=error`: what went wrong around the job. `removed` is there, and true, once the folder of an ended job was removed. With `resumable` the answer says in `next` where `from` goes on, which reads at most 10 MiB.",
  params: jobParams,
  query: logsQuerySchema,
  responses: { 200: describeJson("The output", logsSchema), ...errors },
} satisfies RouteSpec;

const STREAM_DESCRIPTION = `What is there, then what is written. Of a queued job: nothing until it starts. Where something was
left out of a log that is too large, a line says how much. With \`resumable\` the answer ends after such a line, and its
\`X-Nexus-Log-Position\` says at which byte of the log it begins. \`from\`, that byte and the length of what was read, goes on; after
such a line it is the byte at which the line began, with \`marked\`.`;

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

const STREAM_HEADERS = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

const readFrom = ({ logs }: ApiContext, id: JobId, { from, last_n_lines: lastLines }: TailQuery): Promise<Logs> => {
  const place = from === undefined ? null : { from, isMarked: false };
  return readOnward(logs, id, { lastLines: lastLines ?? Number.MAX_SAFE_INTEGER, place });
};

const readTail = async ({ logs }: ApiContext, id: JobId, query: TailQuery): Promise<Logs> => {
  const read = query.file === "error" ? logs.readErrors : logs.readTail;
  const bytes = await read(id, query.last_n_lines ?? null);
  return { data: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
};

const isOnward = ({ file, resumable, from }: TailQuery): boolean =>
  file === "output" && (resumable || from !== undefined);

const tail =
  (context: ApiContext): Handle<typeof tailSpec> =>
  async ({ params: { id }, query }) => {
    const job = findJob(context.store, id);
    if (!job.ok) return job;
    const read = await (isOnward(query) ? readFrom : readTail)(context, id, query);
    const isRemoved = read.data === "" && isEnded(job.value) && (await context.logs.isRemoved(id));
    return ok(Response.json({ ...read, ...(isRemoved ? { removed: true } : {}) }));
  };

const endOf =
  ({ store, isStopping }: ApiContext, id: JobId) =>
  (): boolean => {
    const job = store.findJob(id);
    return job === null || isEnded(job) || isStopping();
  };

const resume = async (context: ApiContext, id: JobId, start: LogStart): Promise<RouteAnswer> => {
  const { position, bytes } = await context.logs.resume(id, start, endOf(context, id));
  return ok(new Response(bytes, { headers: { ...STREAM_HEADERS, [LOG_POSITION_HEADER]: String(position) } }));
};

const stream =
  (context: ApiContext): Handle<typeof streamSpec> =>
  ({ request, params: { id }, query }) => {
    const job = findJob(context.store, id);
    if (!job.ok) return job;
    if (request.req.method === "HEAD") return ok(new Response(null, { headers: STREAM_HEADERS }));
    const { last_n_lines: lastLines = null, from, resumable, marked: isMarked } = query;
    const place = from === undefined ? null : { from, isMarked };
    if (resumable || place !== null) return resume(context, id, { lastLines, place });
    return ok(new Response(context.logs.follow(id, lastLines, endOf(context, id)), { headers: STREAM_HEADERS }));
  };

export const createJobLogRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(tailSpec, tail(context)),
  defineRoute(streamSpec, stream(context)),
];
