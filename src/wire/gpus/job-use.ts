import { z } from "zod";

const figure = z.number().min(0).nullable();

const figuresSchema = z.object({
  index: z.int(),
  mean_percent: figure,
  peak_percent: figure,
  memory_mib: figure.meta({ description: "The most that was used of it, by whom ever" }),
  power_w: figure.meta({ description: "The mean" }),
});

const spanSchema = z.object({
  at: z.number().meta({ description: "When it began, in Unix seconds" }),
  looks: z.int().meta({ description: "How often the GPUs were looked at" }),
  gpus: z.array(figuresSchema),
});

/** What an attempt's GPUs did, the oldest span first. */
export const jobUseSchema = z
  .object({ id: z.string(), attempt: z.int(), spans: z.array(spanSchema) })
  .meta({ id: "JobUse" });

export type WireJobUse = Readonly<z.output<typeof jobUseSchema>>;
