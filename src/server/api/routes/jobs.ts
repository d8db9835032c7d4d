import { setImmediate as giveWay } from "node:timers/promises";
import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import {
  type ExplainedJob,
  explainedJobSchema,
  jobSubmissionSchema,
  type SubmittedJob,
  submittedJobSchema,
  type WireJob,
  wireJobSchema,
} from "../../../wire/job.ts";
import { MAX_BATCH_SIZE } from "../../../wire/limits.ts";
import type { WireEstimate } from "../../../wire/wait.ts";
import type { Submitted } from "../../changes/place-jobs.ts";
import { createSubmitJobs, type SubmitJobs } from "../../changes/submit-jobs.ts";
import type { Job } from "../../core/jobs/job.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import { isWithoutVram, proposeVram } from "../../core/queue/vram-proposal.ts";
import { describeWait } from "../../core/queue/wait-text.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { JobFilter } from "../../core/store.ts";
import { readCaller } from "../access/caller.ts";
import { nameOwners } from "../access/name-owners.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { listBody } from "../http/list-body.ts";
import { jobsQuerySchema } from "../http/query.ts";
import { respondList } from "../http/respond-list.ts";
import { type CommandMatcher, createCommandMatcher } from "../jobs/command-matcher.ts";
import { estimateSubmitted } from "../jobs/estimate-submitted.ts";
import { explainQueue } from "../jobs/explain-queue.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const submissionErrors = describeErrors(
  "ARTIFACT_NOT_FOUND",
  "JOB_EXISTS",
  "JOB_NOT_FOUND",
  "LIMIT_REACHED",
  "REQUEST_TIMEOUT",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "VALIDATION_ERROR",
  "GPU_ERROR",
);

const submitSpec = {
  method: "post",
  path: "/v1/jobs",
  tags: ["jobs"],
  summary: "Queue a job",
  asks: "contribute",
  body: jsonBody(jobSubmissionSchema),
  responses: {
    201: describeJson("The job", submittedJobSchema),
    200: describeJson("The job of an earlier, equal request with this `job_id`", submittedJobSchema),
    ...submissionErrors,
  },
} satisfies RouteSpec;

const batchSpec = {
  method: "post",
  path: "/v1/jobs/batch",
  tags: ["jobs"],
  summary: "Queue up to 10 000 jobs, or none of them",
  asks: "contribute",
  seat: "upload",
  body: listBody(jobSubmissionSchema, MAX_BATCH_SIZE),
  responses: {
    201: describeJson("The jobs, in the order of the requests", z.array(submittedJobSchema)),
    200: describeJson(
      "The same, when each of them was there from an earlier, equal request",
      z.array(submittedJobSchema),
    ),
    ...submissionErrors,
  },
} satisfies RouteSpec;

const listSpec = {
  method: "get",
  path: "/v1/jobs",
  tags: ["jobs"],
  summary: "List jobs: running, then queued, then ended",
  description:
    "`command_regex` is in RE2 syntax, has up to 1000 characters and matches anywhere in the command, the name or the note. `ended_since`, `ended_until` (Unix seconds, both included) and `exit_code` select among ended jobs and leave out all others. With `explain` each queued job says in `why` what keeps it waiting.",
  query: jobsQuerySchema,
  responses: {
    200: describeJson("The jobs", z.array(explainedJobSchema)),
    ...describeErrors("INVALID_REQUEST", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const showSpec = {
  method: "get",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "One job",
  params: jobParams,
  responses: { 200: describeJson("The job", wireJobSchema), ...describeErrors("JOB_NOT_FOUND") },
} satisfies RouteSpec;

const findProposal = async (
  { store, gpus }: ApiContext,
  job: Job,
): Promise<Pick<SubmittedJob, "vram_proposal"> | null> => {
  const peak_mib = isWithoutVram(job) ? store.findVramPeak(job.user, job.command) : null;
  if (peak_mib === null) return null;
  const reading = await gpus.read();
  const vram_mib = reading.ok ? proposeVram(job, peak_mib, reading.value) : null;
  return vram_mib === null ? null : { vram_proposal: { peak_mib, vram_mib } };
};

const noteBooked = ({ cpus, memoryMib }: Job): Pick<SubmittedJob, "booked_only"> =>
  (cpus ?? memoryMib ?? null) === null ? {} : { booked_only: true };

const noteEstimate = (estimate: WireEstimate | null = null): Pick<SubmittedJob, "estimate"> =>
  estimate === null ? {} : { estimate };

const describeSubmitted = async (
  context: ApiContext,
  { jobs, created }: Submitted,
): Promise<readonly SubmittedJob[]> => {
  const proposal = created.length === 1 && created[0] !== undefined ? await findProposal(context, created[0]) : null;
  const estimates = await estimateSubmitted(context, created);
  return jobs.map((job) => ({
    ...toWireJob(job),
    ...(job.id === created[0]?.id ? proposal : {}),
    ...noteBooked(job),
    ...noteEstimate(estimates.get(job.id) ?? job.estimate),
  }));
};

const submitOne =
  (context: ApiContext, submitJobs: SubmitJobs): Handle<typeof submitSpec> =>
  async ({ request, body }) => {
    const named = nameOwners(request, [body], () => []);
    if (!named.ok) return named;
    const submitted = await submitJobs(named.value, () => [], readCaller(request));
    if (!submitted.ok) return submitted;
    const [job] = await describeSubmitted(context, submitted.value);
    return ok(Response.json(job, { status: submitted.value.created.length === 0 ? 200 : 201 }));
  };

const submitBatch =
  (context: ApiContext, submitJobs: SubmitJobs): Handle<typeof batchSpec> =>
  async ({ request, body }) => {
    const named = nameOwners(request, body, (index) => [index]);
    if (!named.ok) return named;
    const submitted = await submitJobs(named.value, (index) => [index], readCaller(request));
    if (!submitted.ok) return submitted;
    const status = submitted.value.created.length === 0 ? 200 : 201;
    return ok(Response.json(await describeSubmitted(context, submitted.value), { status }));
  };

type JobsQuery = z.output<typeof jobsQuerySchema>;

const toFilter = (query: JobsQuery): JobFilter => ({
  limit: query.limit,
  offset: query.offset,
  ...(query.status === undefined ? {} : { statuses: query.status }),
  ...(query.gpu_index === undefined ? {} : { gpuIndex: query.gpu_index }),
  ...(query.user === undefined ? {} : { user: query.user }),
  ...(query.name === undefined ? {} : { name: query.name }),
  ...(query.batch_id === undefined ? {} : { batchId: query.batch_id }),
  ...(query.ended_since === undefined ? {} : { endedSince: query.ended_since }),
  ...(query.ended_until === undefined ? {} : { endedUntil: query.ended_until }),
  ...(query.exit_code === undefined ? {} : { exitCode: query.exit_code }),
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
  const queued = all.flat().filter((job) => job.status === "queued");
  const { waits, notes } = await explainQueue(context, queued);
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
  (context: ApiContext): Handle<typeof listSpec> =>
  async ({ query }) => {
    const matcher = await createMatcher(query.command_regex);
    if (!matcher.ok) return matcher;
    const matching = matcher.value === null ? {} : { matchesText: matcher.value.matches };
    const jobs = context.store.listJobs({ ...toFilter(query), ...matching });
    const answer = await respondList(query.explain ? addReasons(context, jobs) : toWireSlices(jobs));
    return matcher.value?.isExhausted() ? err(tooSlow) : ok(answer);
  };

const show =
  ({ store }: ApiContext): Handle<typeof showSpec> =>
  ({ params }) => {
    const job = findJob(store, params.id);
    return job.ok ? ok(Response.json(toWireJob(job.value))) : job;
  };

export const createJobRoutes = (context: ApiContext): readonly Route[] => {
  const submitJobs = createSubmitJobs(context);
  return [
    defineRoute(submitSpec, submitOne(context, submitJobs)),
    defineRoute(batchSpec, submitBatch(context, submitJobs)),
    defineRoute(listSpec, list(context)),
    defineRoute(showSpec, show(context)),
  ];
};
