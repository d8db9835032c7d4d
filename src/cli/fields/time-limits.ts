import { DURATION_EXAMPLES, parseDuration } from "../../base/durations.ts";
import { MAX_SECONDS } from "../../wire/job-fields/time-limits.ts";
import type { JobField } from "./job-field.ts";

const isTime = (text: string): boolean => {
  const seconds = parseDuration(text);
  return seconds !== null && seconds > 0 && seconds <= MAX_SECONDS;
};

const ABOUT_TIMES = { isUsual: true, waits: false, what: `a time such as ${DURATION_EXAMPLES}`, isRight: isTime };

export const TIME_LIMITS: readonly JobField[] = [
  {
    ...ABOUT_TIMES,
    flag: { long: "time", value: "TIME", help: "end it after so long, such as 2h or 1h30m" },
    field: "time_limit_s",
    toFields: ([text = ""]) => ({ time_limit_s: parseDuration(text) }),
  },
  {
    ...ABOUT_TIMES,
    flag: { long: "warn", value: "TIME", help: "send it USR1 so long before its time is over" },
    field: "warn_s",
    toFields: ([text = ""]) => ({ warn_s: parseDuration(text) }),
  },
];
