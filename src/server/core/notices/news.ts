import type { Job } from "../jobs/job.ts";
import type { HealthNews } from "../machine/health-watch.ts";

/** How the jobs that were submitted in one request ended; `failedIds` are the first ten. */
export type Batch = Readonly<{
  id: string;
  total: number;
  completed: number;
  failed: number;
  killed: number;
  removed: number;
  failedIds: readonly string[];
}>;

/**
 * `run_found` and `log_uploaded` change a message that was sent before. `disk_low`: too little is free where the job runs.
 * `retried`: it failed, and is tried once more after `attempt`. `files_expire`: what the job made goes soon. `waits_for_input`: it has done so for five minutes. `vram_exceeded`: it has more of a GPU's memory than it booked. `gpus_idle` and `log_silent`: its GPUs did nothing, or it printed nothing, for long.
 */
export type JobNews = Readonly<{
  kind: "job";
  event:
    | "started"
    | "run_found"
    | "completed"
    | "failed"
    | "killed"
    | "log_uploaded"
    | "disk_low"
    | "files_expire"
    | "waits_for_input"
    | "vram_exceeded"
    | "gpus_idle"
    | "log_silent"
    | "retried";
  job: Job;
  attempt?: number;
}>;

/** All jobs of the batch have ended or were removed, `lastJob` after all others. */
export type BatchNews = Readonly<{ kind: "batch"; event: "batch_done"; batch: Batch; lastJob: Job }>;

/** `figures` are text, a line each. */
export type MachineNews = Readonly<{
  kind: "machine";
  event: HealthNews | "disk_low";
  nodeName: string;
  figures: string;
}>;

/** What someone may want to hear of, with all that is told of it. */
export type News = JobNews | BatchNews | MachineNews;

export type NoticeEvent = News["event"];
