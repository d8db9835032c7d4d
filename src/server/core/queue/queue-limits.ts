import { err, ok, type Result } from "../../../base/result.ts";
import type { QueuedJob } from "../jobs/job.ts";
import { createLimitReached, type Refusal } from "../refusal.ts";
import type { HostRules } from "./booking/host-part.ts";
import type { ReserveRules } from "./reservations/reservation.ts";
import { type LimitsOf, NO_LIMITS } from "./user-limits.ts";

/** How many jobs may wait, of each user and in all, and what else is limited. */
export type QueueLimits = Readonly<{
  maxQueued: number;
  maxQueuedInAll: number;
  limitsOf?: LimitsOf;
  host?: HostRules;
  reserveRules?: ReserveRules;
}>;

/** Of a user, or in all. */
export type CountQueued = (user: string | null) => number;

const WAY_OUT = "wait until some have started, or take some out with nx remove";

const countJobs = (count: number): string => (count === 1 ? "1 job" : `${count} jobs`);

const check = (
  { limit, max, who }: Readonly<{ limit: string; max: number; who: string }>,
  queued: number,
  more: number,
): Result<void, Refusal> => {
  const asked = queued + more;
  if (asked <= max) return ok(undefined);
  const excess = `${more} more ${more === 1 ? "is" : "are"} too many`;
  const message = `${who} ${countJobs(queued)} in the queue and may have ${max} (${limit}), so ${excess}: ${WAY_OUT}`;
  return err(createLimitReached(message, { limit, max, asked }));
};

/** Whether these may be queued besides those that are. */
export const checkQueueLimits = (
  jobs: readonly Pick<QueuedJob, "user">[],
  count: CountQueued,
  { maxQueued, maxQueuedInAll, limitsOf = NO_LIMITS }: QueueLimits,
): Result<void, Refusal> => {
  for (const [user, own] of Map.groupBy(jobs, (job) => job.user)) {
    const max = limitsOf(user).maxQueued ?? maxQueued;
    const checked = check({ limit: "max_queued", max, who: `${user} has` }, count(user), own.length);
    if (!checked.ok) return checked;
  }
  if (jobs.length === 0) return ok(undefined);
  return check({ limit: "max_queued_in_all", max: maxQueuedInAll, who: "The server has" }, count(null), jobs.length);
};
