import { ok } from "../../../base/result.ts";
import { type WireWait, waitSchema } from "../../../wire/wait.ts";
import type { Job } from "../../core/jobs/job.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { estimateStarts } from "../jobs/estimate-start.ts";
import { describeExplained, explainQueue } from "../jobs/explain-queue.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const spec = {
  method: "get",
  path: "/v1/jobs/{id}/why",
  tags: ["jobs"],
  summary: "Why a job waits",
  description: "The first fact that keeps it waiting, as the next look at the queue would find it.",
  params: jobParams,
  responses: { 200: describeJson("What it waits for", waitSchema), ...describeErrors("JOB_NOT_FOUND") },
} satisfies RouteSpec;

const describeStarted = (job: Job): WireWait => {
  const { status } = toWireJob(job);
  const text = `It does not wait: it is ${status}`;
  return {
    id: job.id,
    status,
    reason: null,
    until: null,
    keeps_from: null,
    text,
    position: null,
    queue_length: 0,
    ahead: [],
    gpus: [],
    estimate: null,
  };
};

export const createJobWaitRoute = (context: ApiContext): Route =>
  defineRoute(spec, async ({ params: { id } }) => {
    const job = findJob(context.store, id);
    if (!job.ok) return job;
    const explained = await explainQueue(context, job.value.status === "queued" ? [job.value] : []);
    const [wait] = explained.waits;
    if (wait !== undefined) {
      const estimate = (await estimateStarts(context, explained, [wait.job.id])).get(wait.job.id) ?? null;
      return ok(Response.json({ ...describeExplained(context, explained, wait), estimate }));
    }
    const later = findJob(context.store, id);
    return later.ok ? ok(Response.json(describeStarted(later.value))) : later;
  });
