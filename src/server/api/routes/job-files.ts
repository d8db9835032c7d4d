import { z } from "zod";
import { err, ok, type Result } from "../../../base/result.ts";
import { filesPatchSchema, filesSchema } from "../../../wire/files.ts";
import { changeJob } from "../../changes/change-job.ts";
import { type EndedJob, isEnded, type Job, type JobId, NO_OUTPUTS, type Outputs } from "../../core/jobs/job.ts";
import { applyJobEvent } from "../../core/jobs/job-transition.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { ByteText } from "../../core/running/outputs.ts";
import { readCaller } from "../access/caller.ts";
import { permit } from "../access/permit.ts";
import type { ApiContext, AppRequest, RouteAnswer } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { checkFilePath, readFilePath } from "../http/file-path.ts";
import { jsonBody } from "../http/json-body.ts";
import { fileQuerySchema, filesQuerySchema, tarQuerySchema } from "../http/query.ts";
import { FILE_HEADERS, respondFile } from "../http/respond-file.ts";
import { checkAttempt } from "../jobs/attempt-log.ts";
import { awaitOutputs } from "../jobs/await-outputs.ts";
import { jobParams } from "../jobs/find-job.ts";
import { encodePath, nameAttachment, toWireFiles } from "../jobs/wire-file.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const BYTES = { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } };

const listSpec = {
  method: "get",
  path: "/v1/jobs/{id}/files",
  tags: ["files"],
  summary: "The files that a job made",
  description:
    "By path, at all depths below `path`; of the newest attempt, or of the one asked for. Of a running job: what it has written so far. Waits while the files of one that has just ended are moved.",
  params: jobParams,
  query: filesQuerySchema,
  responses: {
    200: describeJson("The files", filesSchema),
    ...describeErrors("JOB_NOT_FOUND", "NOT_FOUND", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const fileSpec = {
  method: "get",
  path: "/v1/jobs/{id}/files/{path}",
  tags: ["files"],
  summary: "One file that a job made",
  description:
    "The path is percent-encoded bytes. Answers `Range`, with `If-Range`. Of a running job: up to the size that the file has now. A link is not followed.",
  params: { ...jobParams, path: { schema: z.string() } },
  query: fileQuerySchema,
  responses: {
    200: { description: "The file", content: BYTES },
    206: { description: "What of it was asked for", content: BYTES },
    ...describeErrors("JOB_NOT_FOUND", "NOT_FOUND", "RANGE_NOT_SATISFIABLE", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const tarSpec = {
  method: "get",
  path: "/v1/jobs/{id}/files.tar",
  tags: ["files"],
  summary: "The files that a job made, as a tar",
  description: "All, or those that match a `glob`, which may repeat: `**` crosses folders, `!` takes out again.",
  params: jobParams,
  query: tarQuerySchema,
  responses: {
    200: { description: "The tar", content: BYTES },
    ...describeErrors("JOB_NOT_FOUND", "NOT_FOUND", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const changeErrors = describeErrors("INVALID_JOB_STATE", "JOB_NOT_FOUND");

const noteSpec = {
  method: "patch",
  path: "/v1/jobs/{id}/files",
  tags: ["files"],
  summary: "Say that all of the files were fetched",
  description: "Then nobody is told before they are removed.",
  asks: "contribute",
  params: jobParams,
  body: jsonBody(filesPatchSchema),
  responses: {
    204: { description: "It is noted" },
    ...describeErrors(
      ...(["INVALID_JOB_STATE", "JOB_NOT_FOUND", "PAYLOAD_TOO_LARGE", "REQUEST_TIMEOUT"] as const),
      ...(["UNSUPPORTED_MEDIA_TYPE", "VALIDATION_ERROR"] as const),
    ),
  },
} satisfies RouteSpec;

const removeSpec = {
  method: "delete",
  path: "/v1/jobs/{id}/files",
  tags: ["files"],
  summary: "Remove the files that an ended job made",
  asks: "contribute",
  params: jobParams,
  responses: { 204: { description: "They are gone" }, ...changeErrors },
} satisfies RouteSpec;

const nothingAt = (path: string): Result<never, Refusal> =>
  err(createRefusal("NOT_FOUND", `The job has no file ${JSON.stringify(path)}`));

type Asked = Readonly<{ request: AppRequest; id: JobId; attempt: number | undefined }>;
type Found = Readonly<{ job: Job; outputs: ReturnType<ApiContext["outputs"]["ofAttempt"]> }>;

const findOutputs = async (context: ApiContext, { request, id, attempt }: Asked): Promise<Result<Found, Refusal>> => {
  const job = await awaitOutputs(context, request, id);
  if (!job.ok) return job;
  const refusal = checkAttempt(job.value, attempt);
  if (refusal !== null) return err(refusal);
  const { outputs } = context;
  return ok({ job: job.value, outputs: attempt === undefined ? outputs : outputs.ofAttempt(attempt) });
};

const list =
  (context: ApiContext): Handle<typeof listSpec> =>
  async ({ request, params: { id }, query: { path, limit, offset, attempt } }) => {
    const found = await findOutputs(context, { request, id, attempt });
    if (!found.ok) return found;
    const { job, outputs } = found.value;
    const below = path === "" ? "" : checkFilePath(encodePath(path.replace(/\/$/, "")));
    const page = below === null ? null : await outputs.list(job, below, { limit, offset });
    return page === null ? nothingAt(path) : ok(Response.json(toWireFiles(page)));
  };

const findPath = ({ req }: AppRequest): ByteText | null => {
  const { pathname } = new URL(req.url);
  return readFilePath(pathname.split("/").slice(5).join("/"));
};

const show =
  (context: ApiContext): Handle<typeof fileSpec> =>
  async ({ request, params, query: { attempt } }) => {
    const found = await findOutputs(context, { request, id: params.id, attempt });
    if (!found.ok) return found;
    const path = findPath(request);
    const file = path === null ? null : await found.value.outputs.open(found.value.job, path);
    if (path === null || file === null) return nothingAt(params.path);
    const { req } = request;
    const [range, ifRange] = [req.header("range"), req.header("if-range")];
    return ok(respondFile(file, { isHead: req.method === "HEAD", range, ifRange, disposition: nameAttachment(path) }));
  };

const pack =
  (context: ApiContext): Handle<typeof tarSpec> =>
  async ({ request, params: { id }, query: { glob, attempt } }) => {
    const found = await findOutputs(context, { request, id, attempt });
    if (!found.ok) return found;
    const { job, outputs } = found.value;
    const headers = { ...FILE_HEADERS, "Content-Disposition": nameAttachment(`${id}.tar`) };
    const isHead = request.req.method === "HEAD";
    return ok(new Response(isHead ? null : outputs.pack(job, glob), { headers }));
  };

type Change = Readonly<{ outputs: Partial<Outputs>; notes?: readonly string[] }>;

const findEnded = (request: AppRequest, job: Job): Result<EndedJob, Refusal> => {
  const permitted = permit(request, { act: "change", job: job.id, owner: job.user });
  if (!permitted.ok) return permitted;
  const message = `Job ${job.id} is ${job.status === "starting" ? "running" : job.status}; wait until it has ended`;
  return isEnded(job) ? ok(job) : err(createRefusal("INVALID_JOB_STATE", message));
};

const account = async (context: ApiContext, request: AppRequest, id: JobId, change: Change): Promise<RouteAnswer> => {
  const caller = readCaller(request);
  const changed = await changeJob({ ...context, log: caller.log }, id, (found) => {
    const job = findEnded(request, found);
    if (!job.ok) return job;
    const next = applyJobEvent(job.value, { kind: "account", ...change });
    const reason = `files accounted for by ${caller.name}`;
    return next.ok ? ok({ after: next.value, reason }) : err(createRefusal("INVALID_JOB_STATE", next.error.message));
  });
  return changed.ok ? ok(new Response(null, { status: 204 })) : changed;
};

const remove =
  (context: ApiContext): Handle<typeof removeSpec> =>
  async ({ request, params: { id } }) => {
    const waited = await awaitOutputs(context, request, id);
    if (!waited.ok) return waited;
    const job = findEnded(request, waited.value);
    if (!job.ok) return job;
    await context.outputs.remove(id);
    return account(context, request, id, {
      outputs: NO_OUTPUTS,
      notes: [`Its files were removed by ${readCaller(request).name}`],
    });
  };

const note =
  (context: ApiContext): Handle<typeof noteSpec> =>
  async ({ request, params: { id }, body }) => {
    const job = await awaitOutputs(context, request, id);
    return job.ok ? account(context, request, id, { outputs: { isPulled: body.pulled } }) : job;
  };

export const createJobFileRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(listSpec, list(context)),
  defineRoute(tarSpec, pack(context)),
  defineRoute(fileSpec, show(context)),
  defineRoute(noteSpec, note(context)),
  defineRoute(removeSpec, remove(context)),
];
