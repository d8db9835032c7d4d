import { type WireWait, waitSchema } from "../../../wire/wait.ts";
import type { Job } from "../../core/jobs/job.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { describeExplained, explainQueue } from "../jobs/explain-queue.ts";
import { findJob, refuseUnknown } from "../jobs/find-job.ts";
import { describeErrors, describeJson, idParameter, type Route, type RouteSpec } from "../route.ts";

const spec: RouteSpec = {
  method: "get",
  path: "/v1/jobs/{id}/why",
  tags: ["jobs"],
  summary: "Why a job waits",
  description: "The first fact that keeps it waiting, as the next look at the queue would find it.",
  request: { params: idParameter },
  responses: { 200: describeJson("What it waits for", waitSchema), ...describeErrors("JOB_NOT_FOUND") },
};

const describeStarted = (job: Job): WireWait => {
  const { status } = toWireJob(job);
  const text = `It does not wait: it is ${status}`;
  return { id: job.id, status, reason: null, text, position: null, queue_length: 0, ahead: [], gpus: [] };
};

const explain =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const job = findJob(context.store, request);
    if (job === null) return refuseUnknown(request);
    const explained = await explainQueue(context, new Set([job.id]));
    const [wait] = explained.waits;
    if (wait !== undefined) return Response.json(describeExplained(explained, wait));
    const later = context.store.findJob(job.id);
    return later === null ? refuseUnknown(request) : Response.json(describeStarted(later));
  };

export const createJobWaitRoute = (context: ApiContext): Route => ({ spec, handle: explain(context) });
