import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** Of each attempt, in seconds; null where that was taken away. */
export type TimeLimits = Readonly<{ timeLimitS?: number | null; warnS?: number | null }>;

export const readTimeLimits = ({ time_limit_s: timeLimitS, warn_s: warnS }: AskedFields): TimeLimits =>
  takeGiven({ timeLimitS, warnS });

export const tellTimeLimits = ({
  timeLimitS = null,
  warnS = null,
}: TimeLimits): Pick<ToldFields, "time_limit_s" | "warn_s"> => ({ time_limit_s: timeLimitS, warn_s: warnS });
