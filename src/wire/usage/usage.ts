import { z } from "zod";

/** What use is told by. */
export const USAGE_KEYS = ["user", "name", "batch", "gpu"] as const;

export type UsageKey = (typeof USAGE_KEYS)[number];

const allowance = z.object({ max: z.number(), used: z.number(), left: z.number() });

export const usageGroupSchema = z.object({
  key: z.string().nullable().meta({ description: "What they have in common: null for jobs without name or batch" }),
  gpu_hours: z.number().meta({ description: "Within the time, of all attempts; a shared GPU by its booked part" }),
  jobs: z.int().meta({ description: "That ran within the time, with GPUs or without; by GPU only those that had it" }),
  failed: z.int().meta({ description: "Of these" }),
  mean_wait_s: z
    .number()
    .nullable()
    .meta({ description: "From submission to the first start, of those that started within the time" }),
  idle_share: z
    .number()
    .nullable()
    .meta({ description: "The part of the GPU time in which all GPUs of the job did nothing, where that is known" }),
});

export const usageSchema = z
  .object({
    since: z.number().meta({ description: "Unix time in seconds" }),
    until: z.number(),
    by: z.enum(USAGE_KEYS),
    groups: z.array(usageGroupSchema).meta({ description: "Those with the most GPU hours first" }),
    left_out: z.int().meta({ description: "How many groups there are beyond `limit`" }),
    users: z.array(
      z.object({
        user: z.string(),
        jobs: z.int().meta({ description: "That ran within the time, with GPUs or without" }),
        gpu_hours: z.number().meta({ description: "Within the time" }),
      }),
    ),
    limits: z
      .object({ gpus: allowance, queued: allowance, gpu_hours: allowance })
      .nullable()
      .meta({ description: "Those of who asks, where that is an agent; GPU hours are of the last 24 hours" }),
  })
  .meta({ id: "Usage" });

export type Usage = Readonly<z.output<typeof usageSchema>>;

export type UsageGroup = Readonly<z.output<typeof usageGroupSchema>>;
