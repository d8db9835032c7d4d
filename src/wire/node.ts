import { z } from "zod";
import { drainedSchema } from "./drain/drain.ts";
import { wireJobSchema } from "./job.ts";

export const HEALTH_STATUSES = ["healthy", "under_load", "unhealthy"] as const;

export const LOG_FILES = ["output", "error"] as const;
export const LOG_FORMS = ["json", "text", "raw"] as const;

const expiringFilesSchema = z
  .object({ jobs: z.array(wireJobSchema.pick({ id: true, outputs: true })), total_jobs: z.int() })
  .meta({ id: "ExpiringFiles" });

const youSchema = z.object({ name: z.string(), role: z.enum(["viewer", "agent", "user", "admin"]) }).meta({
  id: "You",
  description: "Who asks, where the server knows that by name: whom the token names, or a user of the machine",
});

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
    you: youSchema.optional(),
    gpu_hint: z.string().nullable().meta({ description: "What would make the GPUs easier to use" }),
    drain: drainedSchema.optional(),
    booking: z
      .object({
        cpus: z.int(),
        cpus_booked: z.int(),
        memory_mib: z.int(),
        memory_booked_mib: z.int(),
        enforced: z
          .boolean()
          .meta({ description: "Whether a job is kept to the CPUs and the memory that it names, or only booked them" }),
      })
      .optional()
      .meta({ description: "What jobs may book of the machine in all, and what those that run have booked" }),
    machine_error: z.string().optional().meta({ description: "What keeps every job from starting, and what to do" }),
    disk_error: z
      .string()
      .optional()
      .meta({ description: "There while too little is free on the disk: nothing starts" }),
    expiring_files: expiringFilesSchema.optional().meta({
      description:
        "With `user`, while files of jobs of that user are about to be removed and nobody has fetched them: those of the first three jobs, the first to go first, and how many jobs there are",
    }),
  })
  .meta({ id: "ServerStatus" });

const diskSchema = z.object({
  total: z.number(),
  used: z.number(),
  free: z.number(),
  percent_used: z.number(),
  place: z.enum(["server_dir", "/"]).optional().meta({ description: "Of these two disks the fuller" }),
});

const networkSchema = z
  .object({
    download_speed: z.number().nullable(),
    upload_speed: z.number().nullable(),
    ping: z.number().nullable(),
  })
  .meta({
    description: "Mbit/s and ms; null for what is not measured, as a whole when no address to call is configured",
  });

const gpuHealthSchema = z.object({
  index: z.int(),
  temperature: z.number().nullable().meta({ description: "Degrees Celsius" }),
  ecc_errors: z.int().nullable().meta({ description: "Uncorrected, since the driver was loaded" }),
  recovery_action: z
    .string()
    .nullable()
    .meta({ description: "What the driver asks for after an error, such as Reset" }),
  fault: z.string().nullable().meta({ description: "What is wrong with it: no job gets it while this is so" }),
});

export const healthSchema = z
  .object({
    alive: z.literal(true),
    status: z.enum(HEALTH_STATUSES).nullable(),
    score: z.number().nullable(),
    disk: diskSchema.nullable(),
    network: networkSchema.nullable(),
    system: z
      .object({
        cpu_percent: z.number(),
        memory_percent: z.number(),
        uptime: z.number(),
        load_avg: z.array(z.number()).length(3),
      })
      .nullable(),
    gpus: z.array(gpuHealthSchema).nullable().optional().meta({ description: "Null when the GPUs can't be read" }),
    warnings: z.array(z.string()).optional().meta({
      description:
        "There while somebody should see to something, with what to do: the clock was set, messages do not go out. Not told to who shows no token",
    }),
  })
  .meta({ id: "Health" });

export const logsSchema = z
  .object({
    data: z.string(),
    removed: z.literal(true).optional(),
    since: z.number().optional().meta({ description: "The time from which on it is, where one was asked for" }),
    next: z.int().optional().meta({ description: "With `resumable` or `from`: the byte at which to go on" }),
  })
  .meta({ id: "Logs" });

export type Logs = Readonly<z.output<typeof logsSchema>>;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];
export type ServerStatus = Readonly<z.output<typeof serverStatusSchema>>;
export type GpuHealth = Readonly<z.output<typeof gpuHealthSchema>>;
export type Health = Readonly<z.output<typeof healthSchema>>;
