import { z } from "zod";

export const wireGpuSchema = z
  .object({
    index: z.int(),
    name: z.string(),
    memory_total: z.int().meta({ description: "MiB" }),
    memory_used: z.int().meta({ description: "MiB" }),
    process_count: z.int(),
    is_blacklisted: z.boolean(),
    running_job_id: z.string().nullable(),
    uuid: z.string().nullable(),
    utilization: z.number().nullable().meta({ description: "Percent" }),
    temperature: z.number().nullable().meta({ description: "Degrees Celsius" }),
    power_draw: z.number().nullable().meta({ description: "Watt" }),
    is_mock: z.boolean(),
  })
  .meta({ id: "Gpu" });

export const blacklistChangeSchema = z
  .object({ gpu_idx: z.int(), blacklisted: z.boolean(), changed: z.boolean() })
  .meta({ id: "BlacklistChange" });

export type WireGpu = Readonly<z.output<typeof wireGpuSchema>>;
export type BlacklistChange = Readonly<z.output<typeof blacklistChangeSchema>>;
