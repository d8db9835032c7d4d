import { z } from "zod";

const WAIT_REASONS = [
  "drained",
  "held",
  "begin",
  "retry",
  "after",
  "batch_limit",
  "user_limit",
  "disk_low",
  "machine",
  "gpus_unreadable",
  "gpus_missing",
  "too_many_gpus",
  "blacklisted",
  "gpu_type",
  "vram",
  "cpus",
  "memory",
  "reserved",
  "gpus_taken",
  "agent_limit",
  "cpu_limit",
] as const;

const candidateSchema = z.object({
  index: z.int(),
  obstacle: z
    .enum(["blacklist", "reserved", "job", "fault", "processes", "unseen_use", "vram", "start", "keep"])
    .nullable()
    .meta({
      description:
        "`reserved`: for another user, now or before the job would end; `fault`: something is wrong with it; `unseen_use`: others use it whose processes are not visible; `vram`: too little of its memory is left; `start` and `keep`: given to, or kept for, a job further up in the queue",
    }),
  job_id: z.string().nullable(),
  user: z.string().nullable(),
  processes: z.array(z.object({ pid: z.int(), user: z.string().nullable(), program: z.string().nullable() })),
});

export const estimateSchema = z.object({ from: z.int(), to: z.int() });

const foreseenSchema = estimateSchema.nullable().meta({
  description:
    "Unix times in seconds between which it starts if no other comes, by the time limits and the earlier runs of what goes before it; null where these don't say",
});

export type WireEstimate = Readonly<z.output<typeof estimateSchema>>;

export const waitSchema = z
  .object({
    id: z.string(),
    status: z.string(),
    reason: z.enum(WAIT_REASONS).nullable().meta({ description: "Null when nothing keeps the job waiting" }),
    text: z.string(),
    until: z.number().nullable().meta({ description: "Unix time in seconds at which that ends, where it is known" }),
    keeps_from: z.number().nullable().meta({
      description:
        "Unix time in seconds from which on GPUs, CPUs and memory that come free are kept for it, where it waits for such",
    }),
    position: z.int().nullable().meta({ description: "1 is the head of the queue" }),
    queue_length: z.int(),
    ahead: z.array(z.string()).meta({ description: "The next jobs in front of it, the head of the queue first" }),
    gpus: z.array(candidateSchema).meta({ description: "The GPUs that it might be given" }),
    estimate: foreseenSchema,
  })
  .meta({ id: "Wait" });

export type WireWait = Readonly<z.output<typeof waitSchema>>;
