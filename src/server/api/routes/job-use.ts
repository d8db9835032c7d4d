import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import { jobUseSchema, type WireJobUse } from "../../../wire/gpus/job-use.ts";
import type { Job } from "../../core/jobs/job.ts";
import { listAttempts } from "../../core/jobs/job-attempts.ts";
import type { GpuFigures, UseCourse } from "../../core/running/use-course.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { attempt, lastLines } from "../http/query.ts";
import { checkAttempt } from "../jobs/attempt-log.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Route, type RouteSpec } from "../route.ts";

const DESCRIPTION = `A span is one look, ten seconds after the last. Where these take more than 40 kB, those before the last hour are joined to a minute, those before the last day to ten, and to more where that does not do.
Null is what was not known. Of a job without GPUs there are none, nor once its folder was removed. Without \`attempt\` it is the newest; with \`last_n_spans\` only its end.`;

const spec = {
  method: "get",
  path: "/v1/jobs/{id}/usage",
  tags: ["jobs"],
  summary: "What a job's GPUs did",
  description: DESCRIPTION.replaceAll("\n", " "),
  params: jobParams,
  query: z.object({ attempt, last_n_spans: lastLines }),
  responses: {
    200: describeJson("What they did", jobUseSchema),
    ...describeErrors("JOB_NOT_FOUND", "VALIDATION_ERROR", "NOT_FOUND"),
  },
} satisfies RouteSpec;

type Reads = ApiContext["useCourses"];
type WireFigures = WireJobUse["spans"][number]["gpus"][number];

const tellFigures = (index: number, { meanPercent, peakPercent, memoryMib, powerW }: GpuFigures): WireFigures => ({
  index,
  mean_percent: meanPercent,
  peak_percent: peakPercent,
  memory_mib: memoryMib,
  power_w: powerW,
});

const tellSpans = ({ gpuIdxs, spans }: UseCourse, startedAt: number): WireJobUse["spans"] =>
  spans.map(({ ageS, looks, gpus }) => ({
    at: startedAt + ageS,
    looks,
    gpus: gpus.flatMap((figures, place) => {
      const index = gpuIdxs[place];
      return index === undefined ? [] : [tellFigures(index, figures)];
    }),
  }));

const tellAttempt = async (useCourses: Reads, job: Job, attempt: number): Promise<WireJobUse["spans"]> => {
  const begun = listAttempts(job)[attempt - 1];
  return begun === undefined ? [] : tellSpans(await useCourses.read(job.id, attempt), begun.started_at);
};

export const createJobUseRoute = ({ store, useCourses }: ApiContext): Route =>
  defineRoute(spec, async ({ params: { id }, query }) => {
    const job = findJob(store, id);
    if (!job.ok) return job;
    const refusal = checkAttempt(job.value, query.attempt);
    if (refusal !== null) return err(refusal);
    const number = query.attempt ?? Math.max(1, listAttempts(job.value).length);
    const spans = await tellAttempt(useCourses, job.value, number);
    const last = spans.slice(-(query.last_n_spans ?? spans.length));
    return ok(Response.json({ id, attempt: number, spans: last } satisfies WireJobUse));
  });
