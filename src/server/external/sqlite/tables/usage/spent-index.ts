/** What is read of a job to tell what it used, by name; the index of ended jobs holds the same, so that no row is read. */
export const SPENT_COLUMNS = [
  ["user", "user"],
  ["completedAt", "completed_at"],
  ["status", "status"],
  ["createdAt", "created_at"],
  ["startedAt", "started_at"],
  ["numGpus", "num_gpus"],
  ["gpuIdxs", "gpu_idxs"],
  ["bookedGpus", "details ->> '$.bookedGpus'"],
  ["past", "details -> '$.past.attempts'"],
  ["name", "details ->> '$.name'"],
  ["batchId", "details ->> '$.batchId'"],
  ["idleShare", "details ->> '$.gpuUse.idleShare'"],
] as const;

/** So that usage is told of ended jobs, and of those between two attempts, without reading any. */
export const ADD_SPENT = `
create index jobs_spent on jobs (${SPENT_COLUMNS.map(([, column]) => column).join(", ")})
  where status in ('completed', 'failed', 'killed');
create index jobs_tried on jobs (user, details -> '$.past.attempts')
  where status = 'queued' and details -> '$.past.attempts' is not null;
`;
