import { tellMoment } from "../../../base/moments.ts";
import { describeDrain } from "../../../wire/drain/drain-text.ts";
import { describeRetry, listPast } from "../jobs/attempt.ts";
import type { Job } from "../jobs/job.ts";
import type { Ineligibility } from "./eligibility.ts";
import { describeBatchReached } from "./limits/batch-limit.ts";
import { describeReached } from "./user-limits.ts";

const MOST_NAMED = 3;

const describeNeeds = (ids: readonly string[]): string => {
  if (ids.length === 0) return "It waits for other jobs";
  const named = ids.slice(0, MOST_NAMED).join(", ");
  return `It waits for ${ids.length === 1 ? "job" : "jobs"} ${named}${ids.length > MOST_NAMED ? " and others" : ""}`;
};

/** One sentence without its full stop, for people; `needs` are the first of those that it waits for. */
export const describeIneligibility = (
  job: Pick<Job, "id" | "user" | "past" | "retry">,
  why: Ineligibility,
  needs: readonly string[],
): string => {
  switch (why.kind) {
    case "drained":
      return describeDrain(why.drain);
    case "held":
      return `It is held${why.by === "admin" ? " by an admin" : ""}: nx release ${job.id} lets it start`;
    case "begin":
      return `It is not to start before ${tellMoment(why.until)}`;
    case "retry":
      return `It has failed and is tried again, not before ${tellMoment(why.until)}: ${describeRetry(job, listPast(job).length)}`;
    case "after":
      return describeNeeds(needs);
    case "batch_limit":
      return describeBatchReached(why);
    case "user_limit":
      return describeReached(job.user, why);
  }
};
