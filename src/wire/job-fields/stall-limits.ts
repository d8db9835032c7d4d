import { z } from "zod";
import { MAX_SECONDS } from "./time-limits.ts";

const secondsSchema = z.int().min(1).max(MAX_SECONDS);

export const stallLimitFields = {
  asked: {
    max_idle_s: secondsSchema
      .nullish()
      .meta({ description: "Once all of its GPUs were seen under 1 % for so many seconds it is ended and fails" }),
    max_silence_s: secondsSchema
      .nullish()
      .meta({ description: "Once its log has not grown for so many seconds it is ended and fails" }),
  },
  told: { max_idle_s: z.int().nullable(), max_silence_s: z.int().nullable() },
};
