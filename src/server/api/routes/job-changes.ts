import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import { type JobPatch, jobPatchSchema, wireJobSchema } from "../../../wire/job.ts";
import { changeJob, type Decide } from "../../changes/change-job.ts";
import type { Caller } from "../../changes/context.ts";
import { decideEdit } from "../../changes/edit-job.ts";
import { listPast } from "../../core/jobs/attempt.ts";
import { isActive, type Job } from "../../core/jobs/job.ts";
import { applyJobEvent } from "../../core/jobs/job-transition.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import { NO_HOST_RULES } from "../../core/queue/booking/host-part.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { NO_LIMITS } from "../../core/queue/user-limits.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { Transaction } from "../../core/store.ts";
import { readCaller } from "../access/caller.ts";
import { permit } from "../access/permit.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { jsonBody } from "../http/json-body.ts";
import { jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Handle, type Route, type RouteInput, type RouteSpec } from "../route.ts";

type Decided = ReturnType<Decide>;
type DecideFor = (job: Job, caller: Caller, transaction: Transaction) => Decided;

const editSpec = {
  method: "patch",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "Change a queued job, the time limit of a running one, or the tag, the name and the note of any job",
  asks: "contribute",
  params: jobParams,
  body: jsonBody(jobPatchSchema),
  responses: {
    200: describeJson("The job", wireJobSchema),
    ...describeErrors(
      "FORBIDDEN",
      "INVALID_JOB_STATE",
      "INVALID_REQUEST",
      "JOB_NOT_FOUND",
      "LIMIT_REACHED",
      "PAYLOAD_TOO_LARGE",
      "REQUEST_TIMEOUT",
      "UNSUPPORTED_MEDIA_TYPE",
      "VALIDATION_ERROR",
    ),
  },
} satisfies RouteSpec;

const removeSpec = {
  method: "delete",
  path: "/v1/jobs/{id}",
  tags: ["jobs"],
  summary: "Take a queued job out of the queue",
  description:
    "One that has run already, and waits for another attempt, is killed by it and stays with all that it has.",
  asks: "contribute",
  params: jobParams,
  responses: { 204: { description: "It is gone" }, ...describeErrors("INVALID_JOB_STATE", "JOB_NOT_FOUND") },
} satisfies RouteSpec;

const killSpec = {
  method: "post",
  path: "/v1/jobs/{id}/kill",
  tags: ["jobs"],
  summary: "End a running job",
  asks: "contribute",
  params: jobParams,
  responses: { 204: { description: "It will be killed" }, ...describeErrors("INVALID_JOB_STATE", "JOB_NOT_FOUND") },
} satisfies RouteSpec;

type JobInput = Pick<RouteInput<typeof removeSpec>, "request" | "params">;

const refuseState = (message: string): Result<never, Refusal> => err(createRefusal("INVALID_JOB_STATE", message));

const changeFor = (
  context: ApiContext,
  { request, params }: JobInput,
  decide: DecideFor,
): ReturnType<typeof changeJob> => {
  const caller = readCaller(request);
  return changeJob({ ...context, log: caller.log }, params.id, (job, transaction) => {
    const permitted = permit(request, { act: "change", job: job.id, owner: job.user });
    if (!permitted.ok) return permitted;
    const decided = decide(job, caller, transaction);
    return decided.ok ? ok({ ...decided.value, reason: `${decided.value.reason} by ${caller.name}` }) : decided;
  });
};

const markForKill = (job: Job, { name }: Caller): Decided => {
  const reason = "kill asked for";
  if (!isActive(job)) return refuseState(`Job ${job.id} is ${job.status}; only a running job can be killed`);
  if (job.markedForKill) return ok({ after: job, reason });
  const marked = applyJobEvent(job, { kind: "mark_for_kill", by: name });
  return marked.ok ? ok({ after: marked.value, reason }) : refuseState(marked.error.message);
};

const giveUp = (job: Job, at: number): Decided => {
  const killed = applyJobEvent(job, { kind: "give_up", at });
  return killed.ok ? ok({ after: killed.value, reason: "given up" }) : refuseState(killed.error.message);
};

const removeQueued = (job: Job, at: number): Decided => {
  if (job.status !== "queued") return refuseState(`Job ${job.id} is ${job.status}; only a queued job can be removed`);
  return listPast(job).length > 0 ? giveUp(job, at) : ok({ after: null, reason: "removed" });
};

const removeFolder = async ({ jobDir, log }: ApiContext, { id }: Job): Promise<void> => {
  try {
    await jobDir.remove(id);
  } catch (error) {
    log.error("folder could not be removed", { job_id: id, message: describeError(error) });
  }
};

const remove =
  (context: ApiContext): Handle<typeof removeSpec> =>
  async (input) => {
    const removed = await changeFor(context, input, (job) => removeQueued(job, context.clock()));
    if (!removed.ok) return removed;
    if (removed.value.after === null) void removeFolder(context, removed.value.before);
    return ok(new Response(null, { status: 204 }));
  };

const readGpusFor = async ({ gpus }: ApiContext, patch: JobPatch): Promise<readonly Gpu[] | null> => {
  const { num_gpus: count, gpu_idxs: idxs, vram_mib, min_vram_mib, gpu_type } = patch;
  const isAboutGpus =
    count || idxs?.length || [vram_mib, min_vram_mib, gpu_type].some((value) => (value ?? null) !== null);
  const reading = isAboutGpus ? await gpus.read() : null;
  return reading?.ok ? reading.value : null;
};

const edit =
  (context: ApiContext): Handle<typeof editSpec> =>
  async (input) => {
    const { body: patch } = input;
    const gpus = await readGpusFor(context, patch);
    const { limitsOf = NO_LIMITS, host = NO_HOST_RULES } = context.settings;
    const edited = await changeFor(context, input, (job, caller, transaction) =>
      decideEdit({ patch, caller, now: context.clock(), gpus, limitsOf, host })(job, transaction),
    );
    return edited.ok ? ok(Response.json(toWireJob(edited.value.after ?? edited.value.before))) : edited;
  };

const kill =
  (context: ApiContext): Handle<typeof killSpec> =>
  async (input) => {
    const marked = await changeFor(context, input, markForKill);
    return marked.ok ? ok(new Response(null, { status: 204 })) : marked;
  };

export const createJobChangeRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(editSpec, edit(context)),
  defineRoute(removeSpec, remove(context)),
  defineRoute(killSpec, kill(context)),
];
