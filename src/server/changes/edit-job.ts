import { err, ok, type Result } from "../../base/result.ts";
import type { JobPatch } from "../../wire/job.ts";
import { NO_BATCH } from "../core/jobs/fields/batches.ts";
import { type JobFields, readJobFields } from "../core/jobs/fields/job-fields.ts";
import { refuseRelease } from "../core/jobs/fields/waits.ts";
import { isStopping } from "../core/jobs/halt.ts";
import { isActive, isEnded, type Job, type QueuedJob } from "../core/jobs/job.ts";
import { findMissingGpus, findMissingVariable, type JobRequestError } from "../core/jobs/job-request.ts";
import { applyJobEvent, type JobEvent } from "../core/jobs/job-transition.ts";
import { countLeast } from "../core/queue/booked-gpus.ts";
import { findHostMistake } from "../core/queue/booking/host-mistake.ts";
import { type HostRules, NO_HOST_RULES } from "../core/queue/booking/host-part.ts";
import { type Gpu, indexGpus } from "../core/queue/gpu.ts";
import { findKindMistake } from "../core/queue/gpu-kind.ts";
import { checkUserLimits, giveTime, type LimitsOf } from "../core/queue/user-limits.ts";
import { createInvalid, createLimitReached, createRefusal, type Refusal } from "../core/refusal.ts";
import type { Environment, Transaction } from "../core/store.ts";
import type { Change, Decide } from "./change-job.ts";
import type { Caller } from "./context.ts";
import { checkNeeds, linkNeeds } from "./dependents.ts";

/** `gpus` is null while they can't be read; then none is checked. */
export type Edit = Readonly<{
  patch: JobPatch;
  caller: Caller;
  now: number;
  gpus: readonly Gpu[] | null;
  limitsOf: LimitsOf;
  host?: HostRules;
}>;

type Asked = Readonly<{ fields: JobFields; env: Environment | null }>;
type EditEvent = Extract<JobEvent, { kind: "edit" }>;

const REASON = "edited";

const refuseShare = ({ id, user, agent }: Job, numGpus: number): Refusal | null => {
  if (agent === undefined || numGpus <= agent.gpus) return null;
  const message = `Job ${id} is of the agent ${user}, which can't have ${numGpus} GPUs at once: it may have ${agent.gpus}`;
  return createLimitReached(message, { limit: "agent_gpus", max: agent.gpus, asked: numGpus });
};

const limitsMore = (job: Job, { timeLimitS }: JobFields): boolean =>
  (timeLimitS ?? Number.POSITIVE_INFINITY) <= (job.timeLimitS ?? Number.POSITIVE_INFINITY);

const refuseLimit = (job: Job, fields: JobFields, { isAdmin }: Caller): Refusal | null => {
  if (!isActive(job) || fields.timeLimitS === undefined) return null;
  const message = `Job ${job.id} is being ended: its time limit can't be changed any more`;
  if (isStopping(job)) return createRefusal("INVALID_JOB_STATE", message);
  if (isAdmin || limitsMore(job, fields)) return null;
  return createRefusal(
    "FORBIDDEN",
    `The time limit of a running job can be lowered; only an admin raises that of ${job.id}`,
  );
};

const refuseBatchMax = ({ batchId }: Job, { batchMax = null }: JobFields): Refusal | null =>
  batchMax === null || batchId !== undefined ? null : toInvalid(NO_BATCH);

const toInvalid = ({ field, message, type }: JobRequestError): Refusal =>
  createInvalid([{ loc: ["body", field], msg: message, type }]);

const countAsked = ({ gpu_idxs: idxs, num_gpus: count }: JobPatch): number =>
  idxs && idxs.length > 0 ? idxs.length : (count ?? 0);

const refuseGpus = ({ patch, gpus }: Edit): Refusal | null => {
  const asked = { gpu_idxs: patch.gpu_idxs, num_gpus: countAsked(patch) };
  const missing = gpus === null ? null : findMissingGpus(asked, indexGpus(gpus));
  return missing === null ? null : toInvalid(missing);
};

const refuseKind = (edited: Job, { gpus }: Edit): Refusal | null => {
  const mistake = edited.status === "queued" ? findKindMistake(edited, gpus) : null;
  return mistake === null ? null : toInvalid(mistake);
};

const refuseHost = (
  { status, ...edited }: Job,
  { host = NO_HOST_RULES }: Edit,
  { cpus, memoryMib }: JobFields,
): Refusal | null => {
  const isAbout = status === "queued" && (cpus ?? memoryMib ?? null) !== null;
  const mistake = isAbout ? findHostMistake(edited, host) : null;
  return mistake === null ? null : toInvalid(mistake);
};

const mergeVariables = (before: Environment, changes: NonNullable<JobPatch["env"]>): Environment =>
  Object.fromEntries(
    Object.entries({ ...before, ...changes }).filter((pair): pair is [string, string] => pair[1] !== null),
  );

const refuseVariables = (job: Job, env: Environment | null): Refusal | null => {
  const missing = env === null ? null : findMissingVariable([...job.integrations, ...job.notifications], env);
  return missing === null ? null : toInvalid(missing);
};

const describeVariables = (job: Job, env: Environment, { patch }: Edit): Partial<QueuedJob> => {
  const envNames = Object.keys(env).toSorted();
  const given = Object.keys(patch.env ?? {});
  const carried = (job.carriedNames ?? []).filter((name) => !given.includes(name) && envNames.includes(name));
  return { envNames, ...(job.carriedNames === undefined ? {} : { carriedNames: carried }) };
};

const describeGpus = ({ gpu_idxs: idxs }: JobPatch): Partial<QueuedJob> => {
  if (!idxs) return {};
  return idxs.length > 0 ? { requestedGpuIdxs: idxs, numGpus: idxs.length } : { requestedGpuIdxs: [] };
};

const toEvent = (job: Job, edit: Edit, { fields, env }: Asked): EditEvent => {
  const { patch } = edit;
  const spec = { ...describeGpus(patch), ...(env === null ? {} : describeVariables(job, env, edit)) };
  return {
    kind: "edit",
    ...(typeof patch.command === "string" ? { command: patch.command } : {}),
    ...(typeof patch.priority === "number" ? { priority: patch.priority } : {}),
    ...(typeof patch.num_gpus === "number" ? { numGpus: patch.num_gpus } : {}),
    ...(typeof patch.git_tag === "string" ? { gitTag: patch.git_tag } : {}),
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
    fields,
  };
};

const isEmpty = (patch: JobPatch, fields: JobFields): boolean =>
  [patch.command, patch.priority, patch.num_gpus, patch.git_tag, patch.gpu_idxs, patch.env].every(
    (value) => value === undefined || value === null,
  ) && Object.keys(fields).length === 0;

const asksGpus = ({ num_gpus: count, gpu_idxs: idxs, vram_mib: mib }: JobPatch): boolean =>
  [count, idxs].some((one) => one !== undefined && one !== null) || mib !== undefined;

const refuseOver = (edited: Job, { patch, gpus, limitsOf }: Edit, { timeLimitS = null }: JobFields): Refusal | null => {
  const { user } = edited;
  const numGpus = asksGpus(patch) ? countLeast(edited, gpus ?? []) : 0;
  const priority = typeof patch.priority === "number" ? { priority: patch.priority } : {};
  const allowed = checkUserLimits([{ user, numGpus, timeLimitS, ...priority }], limitsOf);
  return allowed.ok ? null : allowed.error;
};

const giveEditedTime = (job: Job, fields: JobFields, { limitsOf }: Edit): Job =>
  "timeLimitS" in fields && !isEnded(job) ? giveTime(job, limitsOf(job.user)) : job;

const refuseEdited = (edited: Job, edit: Edit, fields: JobFields): Refusal | null =>
  refuseKind(edited, edit) ?? refuseHost(edited, edit, fields) ?? refuseOver(edited, edit, fields);

const findRefusal = (job: Job, edit: Edit, { fields, env }: Asked): Refusal | null =>
  refuseGpus(edit) ??
  refuseShare(job, countAsked(edit.patch)) ??
  refuseVariables(job, env) ??
  refuseRelease(job, fields, edit.caller) ??
  refuseLimit(job, fields, edit.caller) ??
  refuseBatchMax(job, fields);

const write = (transaction: Transaction, edited: Job, { fields, env }: Asked, now: number): Job => {
  if (env !== null) transaction.saveEnvironment(edited.id, env);
  const isLinked = edited.status === "queued" && ("after" in fields || "afterAny" in fields);
  return isLinked ? linkNeeds(transaction, edited, now) : edited;
};

const applyEdit = (job: Job, transaction: Transaction, edit: Edit): Result<Change, Refusal> => {
  const fields = readJobFields(edit.patch, edit.caller);
  if (isEmpty(edit.patch, fields)) return ok({ after: job, reason: REASON });
  const env = edit.patch.env ? mergeVariables(transaction.loadEnvironment(job.id), edit.patch.env) : null;
  const edited = applyJobEvent(job, toEvent(job, edit, { fields, env }));
  if (!edited.ok) return err(createRefusal("INVALID_JOB_STATE", edited.error.message));
  const refusal = findRefusal(job, edit, { fields, env }) ?? refuseEdited(edited.value, edit, fields);
  if (refusal !== null) return err(refusal);
  const needed = checkNeeds(transaction, job.id, fields);
  if (!needed.ok) return needed;
  const given = giveEditedTime(edited.value, fields, edit);
  return ok({ after: write(transaction, given, { fields, env }, edit.now), reason: REASON });
};

/** What a patch makes of a job, with the checks of a submission. */
export const decideEdit =
  (edit: Edit): Decide =>
  (job, transaction) =>
    applyEdit(job, transaction, edit);
