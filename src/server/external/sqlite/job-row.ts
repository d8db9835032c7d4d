import type { ArtifactId, Job, JobId, JobSpec } from "../../core/job.ts";

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
  spec: string;
  state: string;
}>;

type ColumnFields = "id" | "priority" | "createdAt" | "user" | "artifactId" | "numGpus";
type StoredSpec = Omit<JobSpec, ColumnFields>;
type StoredState = Readonly<Record<string, unknown>>;

export const ROW_COLUMNS =
  "id, status, priority, created_at, started_at, completed_at, user, artifact_id, num_gpus, spec, state";

const SPEC_FIELDS = [
  "command",
  "requestedGpuIdxs",
  "integrations",
  "notifications",
  "envNames",
  "jobrc",
  "ignoreBlacklist",
  "gitRepoUrl",
  "gitBranch",
  "gitTag",
  "nodeName",
  "requestDigest",
] as const satisfies readonly (keyof StoredSpec)[];

const COLUMN_FIELDS: readonly string[] = ["id", "status", "priority", "createdAt", "user", "artifactId", "numGpus"];

const pickSpec = (job: Job): StoredState => Object.fromEntries(SPEC_FIELDS.map((name) => [name, job[name]]));

const pickState = (job: Job): StoredState =>
  Object.fromEntries(
    Object.entries(job).filter(
      ([name]) => !COLUMN_FIELDS.includes(name) && !SPEC_FIELDS.some((field) => field === name),
    ),
  );

export const toRow = (job: Job): JobRow => ({
  id: job.id,
  status: job.status,
  priority: job.priority,
  created_at: job.createdAt,
  started_at: job.status === "queued" ? null : job.startedAt,
  completed_at: "completedAt" in job ? job.completedAt : null,
  user: job.user,
  artifact_id: job.artifactId,
  num_gpus: job.numGpus,
  spec: JSON.stringify(pickSpec(job)),
  state: JSON.stringify(pickState(job)),
});

/** The database is written by `toRow` alone, so what it wrote is trusted to be what it was given. */
export const fromRow = (row: JobRow): Job =>
  ({
    ...(JSON.parse(row.spec) as StoredSpec),
    ...(JSON.parse(row.state) as StoredState),
    id: row.id as JobId,
    status: row.status,
    priority: row.priority,
    createdAt: row.created_at,
    user: row.user,
    artifactId: row.artifact_id as ArtifactId | null,
    numGpus: row.num_gpus,
  }) as Job;
