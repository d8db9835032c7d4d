import { type Delayed, isBlocked } from "../jobs/fields/waits.ts";
import type { QueuedJob } from "../jobs/job.ts";
import type { Drain } from "./drain.ts";
import type { BatchReached } from "./limits/batch-limit.ts";
import type { ReachedNow } from "./user-limits.ts";

/** Why a queued job has no turn now, whatever is free; `until` in Unix seconds, null where that is not known. */
export type Ineligibility =
  | Readonly<{ kind: "drained"; drain: Drain; until: number | null }>
  | Readonly<{ kind: "held"; by: "user" | "admin"; until: null }>
  | Readonly<{ kind: "begin"; until: number }>
  | Readonly<{ kind: "retry"; until: number }>
  | Readonly<{ kind: "after"; until: null }>
  | BatchReached
  | ReachedNow;

/** The first reason why a job is passed over, whatever is free; null where it has its turn. */
export const findIneligibility = (job: QueuedJob, now: number, drain: Drain | null = null): Ineligibility | null => {
  if (drain !== null) return { kind: "drained", drain, until: drain.until };
  const { heldBy = null, beginAt = null, past, isWaiting = false } = job;
  if (heldBy !== null) return { kind: "held", by: heldBy, until: null };
  if (beginAt !== null && beginAt > now) return { kind: "begin", until: beginAt };
  if (past !== undefined && past.retryAt > now) return { kind: "retry", until: past.retryAt };
  return isWaiting ? { kind: "after", until: null } : null;
};

/** The time before which the job has no turn, in Unix seconds; 0 where there is none. */
export const findBeginning = ({ beginAt = null, past }: Delayed): number =>
  Math.max(0, beginAt ?? 0, past?.retryAt ?? 0);

/** The time from which the job has its turns, in Unix seconds, 0 for at once; null while something else than time keeps it. */
export const findReadyAt = (job: Delayed): number | null => (isBlocked(job) ? null : findBeginning(job));
