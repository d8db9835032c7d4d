import { z } from "zod";
import { gpuReservationSchema } from "./reservations/reservation.ts";

export const wireGpuSchema = z
  .object({
    index: z.int(),
    name: z.string(),
    memory_total: z
      .int()
      .nullable()
      .meta({ description: "MiB; null where the driver does not say, as of shared memory" }),
    memory_used: z.int().nullable().meta({ description: "MiB" }),
    process_count: z.int(),
    is_blacklisted: z.boolean(),
    running_job_id: z.string().nullable().meta({ description: "The oldest of the jobs on it" }),
    job_ids: z.array(z.string()).meta({ description: "The jobs on it, the oldest first" }),
    vram_booked_mib: z.int().meta({ description: "MiB that the jobs on it have booked" }),
    uuid: z.string().nullable(),
    utilization: z.number().nullable().meta({ description: "Percent" }),
    temperature: z.number().nullable().meta({ description: "Degrees Celsius" }),
    power_draw: z.number().nullable().meta({ description: "Watt" }),
    is_mock: z.boolean(),
    fault: z
      .string()
      .nullable()
      .meta({ description: "What is wrong with it, in the driver's words: no job gets it while this is so" }),
    unseen_use: z
      .string()
      .nullable()
      .meta({ description: "How others show whose processes are not visible: no job gets it while they do" }),
    doubt: z.string().nullable().meta({ description: "Why jobs get other GPUs first" }),
    is_reserved: z.boolean().meta({ description: "Only jobs of the user of the first reservation start there now" }),
    reservations: z.array(gpuReservationSchema).meta({ description: "Those of it that are not over, in order" }),
  })
  .meta({ id: "Gpu" });

export const blacklistChangeSchema = z
  .object({ gpu_idx: z.int(), blacklisted: z.boolean(), changed: z.boolean() })
  .meta({ id: "BlacklistChange" });

export const faultChangeSchema = z.object({ gpu_idx: z.int(), changed: z.boolean() }).meta({ id: "FaultChange" });

export type WireGpu = Readonly<z.output<typeof wireGpuSchema>>;
export type BlacklistChange = Readonly<z.output<typeof blacklistChangeSchema>>;
export type FaultChange = Readonly<z.output<typeof faultChangeSchema>>;
