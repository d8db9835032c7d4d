import { logsSchema } from "../../../wire/node.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { logsQuerySchema, readQuery, streamQuerySchema } from "../http/query.ts";
import { findJob, refuseUnknown } from "../jobs/find-job.ts";
import { describeErrors, describeJson, describeText, idParameter, type Route, type RouteSpec } from "../route.ts";

const errors = describeErrors("JOB_NOT_FOUND", "VALIDATION_ERROR");

const tailSpec: RouteSpec = {
  method: "get",
  path: "/v1/jobs/{id}/logs",
  tags: ["logs"],
  summary: "The output of a job",
  description:
    "Without `last_n_lines` at most the last 10 MiB, cut at a line. `file=error`: what went wrong around the job. `removed` is there, and true, once the folder of an ended job was removed.",
  request: { params: idParameter, query: logsQuerySchema },
  responses: { 200: describeJson("The output", logsSchema), ...errors },
};

const streamSpec: RouteSpec = {
  method: "get",
  path: "/v1/jobs/{id}/logs/stream",
  tags: ["logs"],
  summary: "The output of a job, until it ends",
  description: "What is there, then what is written. Of a queued job: nothing until it starts.",
  request: { params: idParameter, query: streamQuerySchema },
  responses: { 200: describeText("The output", "text/plain"), ...errors },
};

const STREAM_HEADERS = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

const tail =
  ({ store, logs }: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const query = readQuery(request, logsQuerySchema);
    if (!query.ok) return respondRefusal(query.error);
    const job = findJob(store, request);
    if (job === null) return refuseUnknown(request);
    const read = query.value.file === "error" ? logs.readErrors : logs.readTail;
    const bytes = await read(job.id, query.value.last_n_lines ?? null);
    const isRemoved = bytes.length === 0 && isEnded(job) && (await logs.isRemoved(job.id));
    const data = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    return Response.json({ data, ...(isRemoved ? { removed: true } : {}) });
  };

const endOf =
  ({ store, isStopping }: ApiContext, id: JobId) =>
  (): boolean => {
    const job = store.findJob(id);
    return job === null || isEnded(job) || isStopping();
  };

const stream =
  (context: ApiContext) =>
  (request: AppRequest): Response => {
    const query = readQuery(request, streamQuerySchema);
    if (!query.ok) return respondRefusal(query.error);
    const job = findJob(context.store, request);
    if (job === null) return refuseUnknown(request);
    if (request.req.method === "HEAD") return new Response(null, { headers: STREAM_HEADERS });
    const lines = context.logs.follow(job.id, query.value.last_n_lines ?? null, endOf(context, job.id));
    return new Response(lines, { headers: STREAM_HEADERS });
  };

export const createJobLogRoutes = (context: ApiContext): readonly Route[] => [
  { spec: tailSpec, handle: tail(context) },
  { spec: streamSpec, seat: "follower", handle: stream(context) },
];
