import { z } from "zod";

const DELIVERY_STATES = ["waiting", "sending", "delivered", "dead"] as const;

const unixSeconds = z.number().meta({ description: "Unix time in seconds" });

export const deliverySchema = z
  .object({
    channel: z.string(),
    event: z.enum([
      "started",
      "run_found",
      "completed",
      "failed",
      "killed",
      "log_uploaded",
      "files_expire",
      "waits_for_input",
      "vram_exceeded",
      "gpus_idle",
      "log_silent",
      "retried",
      "batch_done",
      "unhealthy",
      "recovered",
      "disk_low",
    ]),
    state: z.enum(DELIVERY_STATES).meta({ description: "`dead` was given up, for the reason in `error`" }),
    attempts: z.int(),
    uncertain: z.boolean().meta({ description: "It was sent again, and an earlier attempt may have arrived too" }),
    created_at: unixSeconds,
    next_attempt_at: unixSeconds.nullable(),
    finished_at: unixSeconds.nullable(),
    error: z.string().nullable().meta({ description: "What the last failed attempt said" }),
    reference: z
      .string()
      .nullable()
      .meta({ description: "What the service calls it: a message's id, a file's address" }),
  })
  .meta({ id: "Delivery" });

export type WireDelivery = Readonly<z.output<typeof deliverySchema>>;
