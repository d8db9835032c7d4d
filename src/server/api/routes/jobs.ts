import { setImmediate as giveWay } from "node:timers/promises";
import { z } from "zod";
import { ok, type Result } from "../../../base/result.ts";
import {
  type ExplainedJob,
  explainedJobSchema,
  jobBatchSchema,
  jobSubmissionSchema,
  type WireJob,
  wireJobSchema,
} from "../../../wire/job.ts";
import { createSubmitJobs, type SubmitJobs } from "../../changes/submit-jobs.ts";
import type { Job } from "../../core/jobs/job.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import { describeWait } from "../../core/queue/wait-text.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { JobFilter } from "../../core/store.ts";
import { readCaller } from "../access/caller.ts";
import { nameOwners } from "../access/name-owners.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { respondRefusal } from "../http/error-response.ts";
import { jobsQuerySchema, readQuery } from "../http/query.ts";
import { readBatch } from "../http/read-batch.ts";
import { readJson } from "../http/read-json.ts";
import { respondList } from "../http/respond-list.ts";
import { type CommandMatcher, createCommandMatcher } from "../jobs/command-matcher.ts";
import { explainQueue } from "../jobs/explain-queue.ts";
import { findJob, refuseUnknown } from "../jobs/find-job.ts";
import { describeBody, describeErrors, describeJson, idParameter, type Route, type RouteSpec } from "../route.ts";

const submissionErrors = describeErrors(
  "ARTIFACT_NOT_FOUND",
  "JOB_EXISTS",
  "REQUEST_TIMEOUT",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "VALIDATION_ERROR",
  "GPU_ERROR",
);

const submitSpec: RouteSpec = {
  method: "post",
  path: "/v1/jobs",
  tags: ["jobs"],
  summary: "Queue a job",
  request: { body: describeBody(jobSubmissionSchema) },
  responses: {
    201: describeJson("The job", wireJobSchema),
    200: describeJson("The job of an earlier, equal request with this `job_id`", wireJobSchema),
    ...submissionErrors,
  },
};

const batchSpec: RouteSpec = {
  method: "post",
  path: "/v1/jobs/batch",
  tags: ["jobs"],
  summary: "Queue up to 10 000 jobs, or none of them",
  request: { body: describeBody(jobBatchSchema) },
  responses: {
    201: describeJson("The jobs, in the order of the requests", z.array(wireJobSchema)),
    200: describeJson("The same, when each of them was there from an earlier, equal request", z.array(wireJobSchema)),
    ...submissionErrors,
  },
};

const listSpec: RouteSpec = {
  method: "get",
  path: "/v1/jobs",
  tags: ["jobs"],
  summary: "List jobs: running, then queued, then ended",
  description:
    "`command_regex` is in RE2 syntax, has up to 1000 characters and matches anywhere in the command. With `explain` each queued job says in `why` what keeps it waiting.",
  request: { query: jobsQuerySchema },
  responses: {
    200: describeJson("The jobs", z.array(explainedJobSchema)),
    ...describeErrors("INVALID_REQUEST", "VALIDATION_ERROR"),
  },
};

const showSpec: RouteSpec = {
  method: "get",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "One job",
  request: { params: idParameter },
  responses: { 200: describeJson("The job", wireJobSchema), ...describeErrors("JOB_NOT_FOUND") },
};

const submitOne =
  (submitJobs: SubmitJobs, timeoutS: number) =>
  async (request: AppRequest): Promise<Response> => {
    const body = await readJson(request.req.raw, timeoutS, jobSubmissionSchema);
    if (!body.ok) return respondRefusal(body.error);
    const named = nameOwners(request, [body.value], () => []);
    if (!named.ok) return respondRefusal(named.error);
    const submitted = await submitJobs(named.value, () => [], readCaller(request));
    if (!submitted.ok) return respondRefusal(submitted.error);
    const [job] = submitted.value.jobs.map(toWireJob);
    return Response.json(job, { status: submitted.value.created.length === 0 ? 200 : 201 });
  };

const submitBatch =
  (submitJobs: SubmitJobs, timeoutS: number) =>
  async (request: AppRequest): Promise<Response> => {
    const body = await readBatch(request.req.raw, timeoutS);
    if (!body.ok) return respondRefusal(body.error);
    const named = nameOwners(request, body.value, (index) => [index]);
    if (!named.ok) return respondRefusal(named.error);
    const submitted = await submitJobs(named.value, (index) => [index], readCaller(request));
    if (!submitted.ok) return respondRefusal(submitted.error);
    const status = submitted.value.created.length === 0 ? 200 : 201;
    return Response.json(submitted.value.jobs.map(toWireJob), { status });
  };

type JobsQuery = z.output<typeof jobsQuerySchema>;

const toFilter = (query: JobsQuery): JobFilter => ({
  limit: query.limit,
  offset: query.offset,
  ...(query.status === undefined ? {} : { statuses: query.status }),
  ...(query.gpu_index === undefined ? {} : { gpuIndex: query.gpu_index }),
  ...(query.user === undefined ? {} : { user: query.user }),
});

const toWireSlices = async function* (slices: AsyncIterable<readonly Job[]>): AsyncGenerator<readonly WireJob[], void> {
  for await (const jobs of slices) yield jobs.map(toWireJob);
};

const tooSlow = createRefusal("INVALID_REQUEST", "The regular expression takes too long; make it simpler");

const createMatcher = async (pattern: string | undefined): Promise<Result<CommandMatcher | null, Refusal>> =>
  pattern === undefined ? ok(null) : createCommandMatcher(pattern);

const addReasons = async function* (
  context: ApiContext,
  slices: AsyncIterable<readonly Job[]>,
): AsyncGenerator<readonly ExplainedJob[], void> {
  const all = await Array.fromAsync(slices);
  const queued = all.flat().filter(({ status }) => status === "queued");
  const { waits, notes } = await explainQueue(context, new Set(queued.map(({ id }) => id)));
  const byId = new Map(waits.map((wait) => [wait.job.id, wait]));
  for (const jobs of all) {
    yield jobs.map((job) => {
      const wait = byId.get(job.id);
      return wait === undefined ? toWireJob(job) : { ...toWireJob(job), why: describeWait(wait, notes) };
    });
    await giveWay();
  }
};

const list =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const query = readQuery(request, jobsQuerySchema);
    if (!query.ok) return respondRefusal(query.error);
    const matcher = await createMatcher(query.value.command_regex);
    if (!matcher.ok) return respondRefusal(matcher.error);
    const matching = matcher.value === null ? {} : { matchesCommand: matcher.value.matches };
    const jobs = context.store.listJobs({ ...toFilter(query.value), ...matching });
    const answer = await respondList(query.value.explain ? addReasons(context, jobs) : toWireSlices(jobs));
    return matcher.value?.isExhausted() ? respondRefusal(tooSlow) : answer;
  };

const show =
  ({ store }: ApiContext) =>
  (request: AppRequest): Response => {
    const job = findJob(store, request);
    return job === null ? refuseUnknown(request) : Response.json(toWireJob(job));
  };

export const createJobRoutes = (context: ApiContext): readonly Route[] => {
  const submitJobs = createSubmitJobs(context);
  const { bodyTimeout } = context.settings.limits;
  return [
    { spec: submitSpec, asks: "contribute", handle: submitOne(submitJobs, bodyTimeout) },
    { spec: batchSpec, asks: "contribute", seat: "upload", handle: submitBatch(submitJobs, bodyTimeout) },
    { spec: listSpec, handle: list(context) },
    { spec: showSpec, handle: show(context) },
  ];
};
