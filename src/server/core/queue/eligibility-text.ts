import type { Job } from "../jobs/job.ts";
import type { Ineligibility } from "./eligibility.ts";

/** One sentence without its full stop, for people. */
export const describeIneligibility = ({ id }: Pick<Job, "id">, why: Ineligibility): string => {
  switch (why.kind) {
    case "held":
      return `It is held${why.by === "admin" ? " by an admin" : ""}: nx release ${id} lets it start`;
    case "begin":
      return `It is not to start before ${new Date(why.until * 1000).toISOString()}`;
  }
};
