import { err, ok, type Result } from "../../../base/result.ts";
import { type JobRequest, RUN_NOW_PRIORITY } from "../../../wire/job.ts";
import { REQUIRED_ENV } from "../../../wire/job-names.ts";
import type { AgentLimits } from "./agent-limits.ts";
import { NO_BATCH } from "./fields/batches.ts";
import { findWaitingField, readJobFields } from "./fields/job-fields.ts";
import { type Asker, accountWait } from "./fields/waits.ts";
import { type ArtifactId, type JobId, type QueuedJob, USUAL_UMASK } from "./job.ts";

export type JobRequestError = Readonly<{ field: string; message: string; type: string }>;

/** `gpuIndexes` is null while the GPUs can't be read; then none is checked. */
export type JobFacts = Readonly<{
  id: JobId;
  now: number;
  nodeName: string;
  requestDigest: string;
  gpuIndexes: ReadonlySet<number> | null;
  batchId?: string;
  agent?: AgentLimits | undefined;
  asker: Asker;
}>;

/** What one of the services needs and the environment does not have; null where it has all. */
export const findMissingVariable = (
  services: readonly (keyof typeof REQUIRED_ENV)[],
  env: Readonly<Record<string, string>>,
): JobRequestError | null => {
  const missing = services.flatMap((service) =>
    REQUIRED_ENV[service].filter((name) => !(name in env)).map((name) => ({ service, name })),
  )[0];
  if (missing === undefined) return null;
  const message = `Missing required environment variable ${missing.name} for ${missing.service}`;
  return { field: "env", message, type: "missing_env" };
};

const checkEnv = ({ integrations, notifications, env }: JobRequest): JobRequestError | null =>
  findMissingVariable([...integrations, ...notifications], env);

type GpuNeed = Pick<JobRequest, "num_gpus" | "gpu_idxs">;

const countGpus = (request: GpuNeed): number =>
  request.gpu_idxs && request.gpu_idxs.length > 0 ? request.gpu_idxs.length : request.num_gpus;

const nameGpus = (indexes: ReadonlySet<number>): string =>
  indexes.size === 0 ? "none" : [...indexes].toSorted((a, b) => a - b).join(", ");

/** What this machine, with GPUs of these indices, will never have of what is asked for; null when it has all. */
export const findMissingGpus = (request: GpuNeed, indexes: ReadonlySet<number>): JobRequestError | null => {
  const unknown = request.gpu_idxs?.find((index) => !indexes.has(index));
  if (unknown !== undefined) {
    const message = `GPU ${unknown} does not exist (this machine has: ${nameGpus(indexes)})`;
    return { field: "gpu_idxs", message, type: "unknown_gpu" };
  }
  if (countGpus(request) <= indexes.size) return null;
  const message = `The job asks for ${countGpus(request)} GPUs, but this machine has ${indexes.size}`;
  return { field: "num_gpus", message, type: "too_many_gpus" };
};

const checkGpus = (request: JobRequest, indexes: ReadonlySet<number> | null): JobRequestError | null =>
  indexes === null || request.run_immediately ? null : findMissingGpus(request, indexes);

const checkRunNow = (request: JobRequest): JobRequestError | null => {
  const field = request.run_immediately ? findWaitingField(request) : null;
  const message = "A job that is to run immediately can't wait for anything";
  return field === null ? null : { field, message, type: "waits_and_runs" };
};

const checkBatch = ({ batch_max: max }: JobRequest, { batchId }: JobFacts): JobRequestError | null =>
  typeof max === "number" && batchId === undefined ? NO_BATCH : null;

const describeCode = (request: JobRequest): Pick<QueuedJob, "gitRepoUrl" | "gitBranch" | "gitTag" | "code"> => ({
  gitRepoUrl: request.git_repo_url ?? null,
  gitBranch: request.git_branch ?? null,
  gitTag: request.git_tag ?? null,
  code: {
    commit: request.git_commit ?? null,
    tree: request.git_tree ?? null,
    isDirty: request.git_dirty ?? null,
    workdir: request.workdir ?? null,
    ...(request.code_root ? { root: request.code_root } : {}),
  },
});

const describeFiles = (request: JobRequest): Pick<QueuedJob, "outputGlobs" | "links"> => ({
  outputGlobs: request.output_globs ?? null,
  links: request.links ?? [],
});

const describeVariables = ({ env, carried_names }: JobRequest): Pick<QueuedJob, "envNames" | "carriedNames"> => {
  const envNames = Object.keys(env).toSorted();
  const carriedNames = envNames.filter((name) => carried_names?.includes(name));
  return { envNames, ...(carriedNames.length === 0 ? {} : { carriedNames }) };
};

type RunFields = Pick<QueuedJob, "jobrc" | "umask" | "inputId">;

const describeRun = ({ jobrc, umask, input_artifact_id: input }: JobRequest): RunFields => ({
  jobrc: jobrc ?? null,
  ...(umask ? { umask: umask.padStart(USUAL_UMASK.length, "0") } : {}),
  ...(typeof input === "string" ? { inputId: input as ArtifactId } : {}),
});

type OriginFields = Pick<QueuedJob, "createdAt" | "requestDigest" | "batchId" | "agent">;

const describeOrigin = ({ now, requestDigest, batchId, agent }: JobFacts): OriginFields => ({
  createdAt: now,
  requestDigest,
  ...(batchId === undefined ? {} : { batchId }),
  ...(agent === undefined ? {} : { agent }),
});

const buildJob = (request: JobRequest, facts: JobFacts): QueuedJob => ({
  id: facts.id,
  status: "queued",
  command: request.command,
  user: request.user,
  artifactId: (request.artifact_id ?? null) as ArtifactId | null,
  numGpus: countGpus(request),
  requestedGpuIdxs: request.gpu_idxs ?? [],
  priority: request.run_immediately ? RUN_NOW_PRIORITY : request.priority,
  integrations: [...new Set(request.integrations)],
  notifications: [...new Set(request.notifications)],
  ...describeVariables(request),
  ignoreBlacklist: request.ignore_blacklist,
  ...describeCode(request),
  nodeName: facts.nodeName,
  ...describeOrigin(facts),
  ...describeFiles(request),
  ...describeRun(request),
  notes: [],
  ...readJobFields(request, facts.asker),
});

export const createJob = (request: JobRequest, facts: JobFacts): Result<QueuedJob, JobRequestError> => {
  const error =
    checkEnv(request) ?? checkGpus(request, facts.gpuIndexes) ?? checkRunNow(request) ?? checkBatch(request, facts);
  if (error !== null) return err(error);
  return ok(accountWait(buildJob(request, facts), facts.now));
};

/** One text for one request, whatever the order of its keys; the job's id is left out. */
export const digestInput = (request: JobRequest): string => {
  const { job_id: _jobId, ...rest } = request;
  const sortKeys = (_key: string, value: unknown): unknown =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(rest, sortKeys);
};
