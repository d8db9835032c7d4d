import { z } from "zod";

export const gpuUseSchema = z
  .object({
    mean_percent: z.number().min(0).max(100).meta({ description: "Over its GPUs and the time of its attempts" }),
    peak_percent: z.number().min(0).max(100).meta({ description: "The most of any of its GPUs" }),
    idle_share: z.number().min(0).max(1).meta({ description: "The part of the time in which all were under 1 %" }),
  })
  .nullable()
  .meta({
    description:
      "What its GPUs did, all that is on them counted; null where that was never known. Up to five minutes old",
  });
