import { z } from "zod";

const allowance = z.object({ max: z.number(), used: z.number(), left: z.number() });

export const usageSchema = z
  .object({
    since: z.number().meta({ description: "Unix time in seconds" }),
    until: z.number(),
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
