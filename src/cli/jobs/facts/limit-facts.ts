import { tellDuration } from "../../../base/tell-duration.ts";
import type { WireJob } from "../../../wire/job.ts";

const describeTime = ({ time_limit_s: limit = null, warn_s: warn = null }: WireJob): string | null => {
  if (limit === null) return null;
  return warn === null ? tellDuration(limit) : `${tellDuration(limit)}, warned ${tellDuration(warn)} before`;
};

const tell = (seconds: number | null): string | null => (seconds === null ? null : tellDuration(seconds));

/** What ends a job that goes on for too long, or does nothing. */
export const listLimitFacts = (job: WireJob): readonly (readonly [string, string | null])[] => [
  ["limit", describeTime(job)],
  ["max idle", tell(job.max_idle_s ?? null)],
  ["max silence", tell(job.max_silence_s ?? null)],
];
