import { parseDuration, writeDuration } from "../../base/durations.ts";
import { MAX_SECONDS } from "../../wire/job-fields/time-limits.ts";
import type { JobField } from "./job-field.ts";

const isTime = (text: string): boolean => {
  const seconds = parseDuration(text);
  return seconds !== null && seconds > 0 && seconds <= MAX_SECONDS;
};

export const ABOUT_TIMES = {
  isUsual: true,
  waits: false,
  what: "a time such as 45s, 5m, 2h, 1d or 1h30m",
  isRight: isTime,
};

const SLURM_TIME = /^(?:(\d{1,5})-)?(\d{1,8})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;
const SLURM_SIGNAL = /^(?:[BR]+:)?(?:SIG)?USR1@(\d{1,9})$/;

const convertTime = (value: string): string | null => {
  const [whole, days = "0", first = "0", second = "0", third] = SLURM_TIME.exec(value) ?? [];
  if (whole === undefined) return null;
  const isInHours = value.includes("-") || third !== undefined;
  const [hours, minutes, seconds] = isInHours ? [first, second, third ?? "0"] : ["0", first, second];
  const text = writeDuration(parseDuration(`${days}d${hours}h${minutes}m${seconds}s`) ?? 0);
  return isTime(text) ? text : null;
};

const convertSignal = (value: string): string | null => {
  const text = writeDuration(Number(SLURM_SIGNAL.exec(value)?.[1] ?? 0));
  return isTime(text) ? text : null;
};

export const TIME_LIMITS: readonly JobField[] = [
  {
    ...ABOUT_TIMES,
    flag: { long: "time", value: "TIME", help: "end it after so long, such as 2h or 1h30m" },
    field: "time_limit_s",
    sbatch: { option: "time", short: "t", convert: convertTime },
    toFields: ([text = ""]) => ({ time_limit_s: parseDuration(text) }),
  },
  {
    ...ABOUT_TIMES,
    flag: { long: "warn", value: "TIME", help: "send it USR1 so long before its time is over" },
    field: "warn_s",
    sbatch: { option: "signal", convert: convertSignal },
    toFields: ([text = ""]) => ({ warn_s: parseDuration(text) }),
  },
];
