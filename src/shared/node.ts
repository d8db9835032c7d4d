import { z } from "zod";

export const HEALTH_STATUSES = ["healthy", "under_load", "unhealthy"] as const;

export const LOG_FILES = ["output", "error"] as const;

export const serverStatusSchema = z
  .object({
    gpu_count: z.int(),
    queued_jobs: z.int(),
    running_jobs: z.int(),
    completed_jobs: z.int(),
    server_user: z.string(),
    server_version: z.string(),
    node_name: z.string(),
    mock: z.boolean().meta({ description: "True when the GPUs are pretended" }),
    gpu_error: z.string().nullable().meta({ description: "Why the GPUs can't be read, if they can't" }),
  })
  .meta({ id: "ServerStatus" });

export const healthSchema = z
  .object({
    alive: z.literal(true),
    status: z.enum(HEALTH_STATUSES).nullable(),
    score: z.number().nullable(),
    disk: z.object({ total: z.number(), used: z.number(), free: z.number(), percent_used: z.number() }).nullable(),
    network: z.object({ download_speed: z.number(), upload_speed: z.number(), ping: z.number() }).nullable(),
    system: z
      .object({
        cpu_percent: z.number(),
        memory_percent: z.number(),
        uptime: z.number(),
        load_avg: z.array(z.number()).length(3),
      })
      .nullable(),
  })
  .meta({ id: "Health" });

export const logsSchema = z.object({ data: z.string(), removed: z.literal(true).optional() }).meta({ id: "Logs" });

export type Logs = Readonly<z.output<typeof logsSchema>>;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];
export type ServerStatus = Readonly<z.output<typeof serverStatusSchema>>;
export type Health = Readonly<z.output<typeof healthSchema>>;
