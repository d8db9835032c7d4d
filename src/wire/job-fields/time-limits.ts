import { z } from "zod";

/** A hundred years. */
export const MAX_SECONDS = 3_155_760_000;

const secondsSchema = z.int().min(1).max(MAX_SECONDS);

export const timeLimitFields = {
  asked: {
    time_limit_s: secondsSchema
      .nullish()
      .meta({ description: "After so many seconds each attempt is ended and fails" }),
    warn_s: secondsSchema.nullish().meta({
      description: "So many seconds before the limit, USR1 goes to those of its processes that catch it",
    }),
  },
  told: { time_limit_s: z.int().nullable(), warn_s: z.int().nullable() },
};
