import { z } from "zod";

/** The first that fits is the cause of a failure. */
export const RETRY_CAUSES = ["time", "machine", "gpu", "oom", "nccl", "exit"] as const;

export type RetryCause = (typeof RETRY_CAUSES)[number];

/** What is meant where no cause is named: all that another attempt may be rid of. */
export const USUAL_CAUSES: readonly RetryCause[] = RETRY_CAUSES.filter((cause) => cause !== "time");

export const MAX_RETRIES = 100;

const causesSchema = z.array(z.enum(RETRY_CAUSES));

const retrySchema = z
  .object({ count: z.int().min(0).max(MAX_RETRIES), causes: causesSchema.min(1).default([...USUAL_CAUSES]) })
  .meta({ description: "How often the job is put back in the queue when it has failed by one of the causes" });

const attemptSchema = z.object({
  started_at: z.number(),
  ended_at: z.number().nullable(),
  gpu_idxs: z.array(z.int()),
  exit_code: z.int().nullable(),
  reason: z.string().nullable().meta({ description: "Why it failed" }),
});

export const attemptsSchema = z
  .array(attemptSchema)
  .meta({ description: "Each time that it ran, the oldest first; what is not known of one that runs is null" });

export const retryFields = {
  asked: { retry: retrySchema.nullish() },
  told: {
    retry: z.object({ count: z.int(), causes: causesSchema }).nullable(),
  },
};

export type WireAttempt = Readonly<z.output<typeof attemptSchema>>;
