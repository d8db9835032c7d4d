import { parseDuration } from "../../base/durations.ts";
import type { JobField } from "./job-field.ts";
import { ABOUT_TIMES } from "./time-limits.ts";

export const STALL_LIMITS: readonly JobField[] = [
  {
    ...ABOUT_TIMES,
    flag: { long: "max-idle", value: "TIME", help: "end it once its GPUs were idle for so long" },
    field: "max_idle_s",
    rivals: ["cpu"],
    toFields: ([text = ""]) => ({ max_idle_s: parseDuration(text) }),
  },
  {
    ...ABOUT_TIMES,
    flag: { long: "max-silence", value: "TIME", help: "end it once it printed nothing for so long" },
    field: "max_silence_s",
    toFields: ([text = ""]) => ({ max_silence_s: parseDuration(text) }),
  },
];
