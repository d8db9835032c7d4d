import { describeError } from "../../../shared/describe-error.ts";
import { type JobPatch, jobPatchSchema, wireJobSchema } from "../../../shared/job.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import { planDigestOfRemoved } from "../../core/batch-digest.ts";
import { isActive, type Job, type QueuedJob } from "../../core/job.ts";
import { describeChange, type JobChange } from "../../core/job-change.ts";
import { applyJobEvent } from "../../core/job-transition.ts";
import type { Transaction } from "../../core/ports.ts";
import { toWireJob } from "../../core/wire-job.ts";
import { type Caller, readCaller } from "../caller.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { createFailure, createUnavailable, type Failure, respondFailure } from "../error-response.ts";
import { createUnknownJob, readJobId } from "../find-job.ts";
import { permit } from "../permit.ts";
import { readJson } from "../read-json.ts";
import { describeBody, describeErrors, describeJson, idParameter, type Route, type RouteSpec } from "../route.ts";

type Change = Readonly<{
  reason: string;
  apply: (job: Job, transaction: Transaction, caller: Caller) => Result<Job | null, Failure>;
}>;

type Changed = Readonly<{ before: Job; after: Job | null }>;

const editSpec: RouteSpec = {
  method: "patch",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "Change a queued job, or the tag of any job",
  request: { params: idParameter, body: describeBody(jobPatchSchema) },
  responses: {
    200: describeJson("The job", wireJobSchema),
    ...describeErrors(
      "INVALID_JOB_STATE",
      "JOB_NOT_FOUND",
      "PAYLOAD_TOO_LARGE",
      "REQUEST_TIMEOUT",
      "UNSUPPORTED_MEDIA_TYPE",
      "VALIDATION_ERROR",
    ),
  },
};

const removeSpec: RouteSpec = {
  method: "delete",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "Take a queued job out of the queue",
  request: { params: idParameter },
  responses: { 204: { description: "It is gone" }, ...describeErrors("INVALID_JOB_STATE", "JOB_NOT_FOUND") },
};

const killSpec: RouteSpec = {
  method: "post",
  path: "/v1/jobs/{id}/kill",
  tags: ["jobs"],
  summary: "End a running job",
  request: { params: idParameter },
  responses: { 204: { description: "It will be killed" }, ...describeErrors("INVALID_JOB_STATE", "JOB_NOT_FOUND") },
};

const refuseState = (message: string): Result<never, Failure> => err(createFailure("INVALID_JOB_STATE", message));

const wakeFor = ({ wakes }: ApiContext, job: Job): void => (job.status === "queued" ? wakes.queues() : wakes.running());

const announce = (context: ApiContext, { log, name }: Caller, { before, after, reason }: JobChange & Changed): void => {
  if (after !== before) log.info("job changed", describeChange({ before, after, reason: `${reason} by ${name}` }));
  wakeFor(context, after ?? before);
};

const changeJob = async (
  context: ApiContext,
  request: AppRequest,
  change: Change,
): Promise<Result<Changed, Failure>> => {
  const id = readJobId(request);
  if (id === null) return err(createUnknownJob(request));
  const caller = readCaller(request);
  const written = await context.store.write((transaction): Result<Changed, Failure> => {
    const before = transaction.findJob(id);
    if (before === null) return err(createUnknownJob(request));
    const permitted = permit(request, { act: "change", job: id, owner: before.user });
    if (!permitted.ok) return permitted;
    const after = change.apply(before, transaction, caller);
    return after.ok ? ok({ before, after: after.value }) : after;
  });
  if (!written.ok) return err(createUnavailable(written.error));
  if (written.value.ok) announce(context, caller, { ...written.value.value, reason: change.reason });
  return written.value;
};

const saveChanged =
  (decide: (job: Job, caller: Caller) => Result<Job, Failure>): Change["apply"] =>
  (job, transaction, caller) => {
    const next = decide(job, caller);
    if (next.ok && next.value !== job) transaction.saveJob(next.value);
    return next;
  };

const isEmpty = ({ command, priority, num_gpus, git_tag }: JobPatch): boolean =>
  [command, priority, num_gpus, git_tag].every((value) => value === undefined || value === null);

const pickQueuedEdits = (patch: JobPatch): Partial<Pick<QueuedJob, "command" | "priority" | "numGpus">> => ({
  ...(typeof patch.command === "string" ? { command: patch.command } : {}),
  ...(typeof patch.priority === "number" ? { priority: patch.priority } : {}),
  ...(typeof patch.num_gpus === "number" ? { numGpus: patch.num_gpus } : {}),
});

const editJob = (job: Job, patch: JobPatch): Result<Job, Failure> => {
  if (isEmpty(patch)) return ok(job);
  const tag = typeof patch.git_tag === "string" ? { gitTag: patch.git_tag } : {};
  const edited = applyJobEvent(job, { kind: "edit", ...pickQueuedEdits(patch), ...tag });
  return edited.ok ? edited : refuseState(edited.error.message);
};

const markForKill = (job: Job, { name }: Caller): Result<Job, Failure> => {
  if (!isActive(job)) return refuseState(`Job ${job.id} is ${job.status}; only a running job can be killed`);
  if (job.markedForKill) return ok(job);
  const marked = applyJobEvent(job, { kind: "mark_for_kill", by: name });
  return marked.ok ? marked : refuseState(marked.error.message);
};

const countRemoved = (
  { channels, clock }: ApiContext,
  { outbox, loadEnvironment }: Transaction,
  job: QueuedJob,
): void => {
  if (job.batchId === undefined) return;
  const batch = outbox.countInBatch(job.batchId, job.id, "removed");
  const source = { channels, now: clock(), loadSecrets: () => loadEnvironment(job.id) };
  outbox.enqueue(planDigestOfRemoved(batch, job, source));
};

const removeQueued =
  (context: ApiContext): Change["apply"] =>
  (job, transaction) => {
    if (job.status !== "queued") return refuseState(`Job ${job.id} is ${job.status}; only a queued job can be removed`);
    countRemoved(context, transaction, job);
    transaction.deleteJob(job.id);
    return ok(null);
  };

const removeFolder = async ({ jobDir, log }: ApiContext, { id }: Job): Promise<void> => {
  try {
    await jobDir.remove(id);
  } catch (error) {
    log.error("folder could not be removed", { job_id: id, message: describeError(error) });
  }
};

const remove =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const removed = await changeJob(context, request, { reason: "removed", apply: removeQueued(context) });
    if (!removed.ok) return respondFailure(removed.error);
    if (removed.value.before.batchId !== undefined) context.wakes.outbox();
    void removeFolder(context, removed.value.before);
    return new Response(null, { status: 204 });
  };

const edit =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const patch = await readJson(request.req.raw, context.settings.limits.bodyTimeout, jobPatchSchema);
    if (!patch.ok) return respondFailure(patch.error);
    const apply = saveChanged((job) => editJob(job, patch.value));
    const edited = await changeJob(context, request, { reason: "edited", apply });
    if (!edited.ok) return respondFailure(edited.error);
    return Response.json(toWireJob(edited.value.after ?? edited.value.before));
  };

const kill =
  (context: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const changed = await changeJob(context, request, { reason: "kill asked for", apply: saveChanged(markForKill) });
    return changed.ok ? new Response(null, { status: 204 }) : respondFailure(changed.error);
  };

export const createJobChangeRoutes = (context: ApiContext): readonly Route[] => [
  { spec: editSpec, asks: "contribute", handle: edit(context) },
  { spec: removeSpec, asks: "contribute", handle: remove(context) },
  { spec: killSpec, asks: "contribute", handle: kill(context) },
];
