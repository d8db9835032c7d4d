import type { Launch } from "./job.ts";

/** Names one launch of a job: a job that is queued again and started later gets another one. */
export const deriveLaunchToken = (launch: Pick<Launch, "startedAt">): string =>
  Math.round(launch.startedAt * 1_000_000).toString(36);
