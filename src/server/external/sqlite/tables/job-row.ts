import { findWaitsSince } from "../../../core/jobs/fields/waits.ts";
import { type ArtifactId, isEnded, type Job, type JobId } from "../../../core/jobs/job.ts";
import { completeStored } from "../../../core/jobs/stored-job.ts";
import { findBeginning, findReadyAt } from "../../../core/queue/eligibility.ts";
import { nameNeedOf } from "../../../core/queue/needs/need-name.ts";

/** `gpu_idxs` is `,0,2,`: the GPUs asked for while queued, then those it got. `need` is what `nameNeed` says. `ready_at` is the time from which a queued job has its turns, 0 once that has come, null while something else keeps it;
 * `begins_at` is that time as it was asked for, `waits_since` since when nothing but the machine keeps it. `details` is the rest of the job as JSON. */
export type JobRow = Readonly<{
  id: string;
  status: string;
  priority: number;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  user: string;
  artifact_id: string | null;
  num_gpus: number;
  command: string;
  gpu_idxs: string;
  need: string;
  ready_at: number | null;
  begins_at: number;
  waits_since: number;
  details: string;
}>;

export const ROW_COLUMNS =
  "id, status, priority, created_at, started_at, completed_at, user, artifact_id, num_gpus, command, gpu_idxs, need, ready_at, begins_at, waits_since, details";

const OWN_COLUMNS: ReadonlySet<string> = new Set([
  "id",
  "status",
  "priority",
  "createdAt",
  "startedAt",
  "completedAt",
  "user",
  "artifactId",
  "numGpus",
  "command",
] satisfies readonly (keyof Job | "startedAt" | "completedAt")[]);

const describeRest = (job: Job): string =>
  JSON.stringify(Object.fromEntries(Object.entries(job).filter(([name]) => !OWN_COLUMNS.has(name))));

const joinIndexes = (indexes: readonly number[]): string => (indexes.length === 0 ? "" : `,${indexes.join(",")},`);

const describeReadiness = (job: Job): Pick<JobRow, "ready_at" | "begins_at" | "waits_since"> =>
  job.status === "queued"
    ? { ready_at: findReadyAt(job), begins_at: findBeginning(job), waits_since: findWaitsSince(job) }
    : { ready_at: 0, begins_at: 0, waits_since: 0 };

export const toRow = (job: Job): JobRow => ({
  id: job.id,
  status: job.status,
  priority: job.priority,
  created_at: job.createdAt,
  started_at: job.status === "queued" ? null : job.startedAt,
  completed_at: isEnded(job) ? job.completedAt : null,
  user: job.user,
  artifact_id: job.artifactId,
  num_gpus: job.numGpus,
  command: job.command,
  gpu_idxs: joinIndexes(job.status === "queued" ? job.requestedGpuIdxs : job.gpuIdxs),
  need: nameNeedOf(job),
  ...describeReadiness(job),
  details: describeRest(job),
});

/** The database is written by `toRow` alone, so what it wrote is trusted to be what it was given. */
export const fromRow = (row: JobRow): Job =>
  completeStored({
    ...(JSON.parse(row.details) as object),
    id: row.id as JobId,
    status: row.status,
    priority: row.priority,
    createdAt: row.created_at,
    user: row.user,
    artifactId: row.artifact_id as ArtifactId | null,
    numGpus: row.num_gpus,
    command: row.command,
    ...(row.started_at === null && row.completed_at === null ? {} : { startedAt: row.started_at }),
    ...(row.completed_at === null ? {} : { completedAt: row.completed_at }),
  }) as Job;
