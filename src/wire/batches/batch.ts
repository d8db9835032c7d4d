import { z } from "zod";

/** `user`, `name`, `command` and `created_at` are of its first job. */
export const batchSchema = z
  .object({
    id: z.string(),
    user: z.string(),
    name: z.string().nullable(),
    command: z.string(),
    created_at: z.number(),
    batch_max: z.int().nullable().meta({ description: "So many of its jobs run at most at once" }),
    queued: z.int(),
    running: z.int(),
    completed: z.int(),
    failed: z.int(),
    killed: z.int(),
  })
  .meta({ id: "Batch" });

export type WireBatch = Readonly<z.output<typeof batchSchema>>;
