import { describeRetry, listPast } from "../jobs/attempt.ts";
import type { Job } from "../jobs/job.ts";
import type { Ineligibility } from "./eligibility.ts";

/** One sentence without its full stop, for people. */
export const describeIneligibility = (job: Pick<Job, "id" | "past" | "retry">, why: Ineligibility): string => {
  switch (why.kind) {
    case "held":
      return `It is held${why.by === "admin" ? " by an admin" : ""}: nx release ${job.id} lets it start`;
    case "begin":
      return `It is not to start before ${new Date(why.until * 1000).toISOString()}`;
    case "retry":
      return `It has failed and is tried again, not before ${new Date(why.until * 1000).toISOString()}: ${describeRetry(job, listPast(job).length)}`;
  }
};
