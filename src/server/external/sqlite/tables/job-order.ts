import type { WireStatus } from "../../../../wire/job.ts";

/** Jobs that are listed in one order; each index leads through them in that order. */
export type JobGroup = Readonly<{
  where: string;
  order: string;
  statuses: readonly WireStatus[];
  indexes: Readonly<{ all: string; oneUser: string; oneStatus: string }>;
}>;

export const ACTIVE: JobGroup = {
  where: "status in ('starting', 'running')",
  order: "started_at desc, seq desc",
  statuses: ["running"],
  indexes: { all: "jobs_active", oneUser: "jobs_active", oneStatus: "jobs_active" },
};

/** Of an active job its GPUs, shared ones by their booked part. */
export const BOOKED_GPUS = "coalesce(details ->> '$.bookedGpus', num_gpus)";

/** Of an active job the CPUs and the memory that it booked. */
export const BOOKED_HOST = {
  cpus: "coalesce(details ->> '$.bookedCpus', details ->> '$.cpus', num_gpus = 0)",
  memoryMib: "details ->> '$.memoryMib'",
};

export const QUEUED: JobGroup = {
  where: "status = 'queued'",
  order: "priority desc, created_at, id",
  statuses: ["queued"],
  indexes: { all: "jobs_queued", oneUser: "jobs_queued_by_user", oneStatus: "jobs_queued" },
};

export const ENDED: JobGroup = {
  where: "status in ('completed', 'failed', 'killed')",
  order: "completed_at desc, seq desc",
  statuses: ["completed", "failed", "killed"],
  indexes: { all: "jobs_ended", oneUser: "jobs_ended_by_user", oneStatus: "jobs_ended_by_status" },
};
