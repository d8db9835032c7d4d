import { z } from "zod";

const MAX_WHY = 1000;
const MAX_SECONDS = 253_402_300_799;

export const drainRequestSchema = z
  .object({
    why: z.string().max(MAX_WHY).nullish(),
    until: z.number().min(0).max(MAX_SECONDS).nullish().meta({ description: "Unix time in seconds; null for no end" }),
  })
  .meta({ id: "DrainRequest" });

const drainSchema = z
  .object({
    why: z.string().nullable(),
    since: z.number().meta({ description: "Unix time in seconds" }),
    until: z.number().nullable().meta({ description: "Unix time in seconds at which it ends by itself" }),
    by: z.string(),
  })
  .meta({ id: "Drain" });

export const drainedSchema = drainSchema
  .nullable()
  .meta({ description: "Why nothing starts, since and until when, and who said so; null where jobs start" });

export const drainChangeSchema = z.object({ drain: drainedSchema, changed: z.boolean() }).meta({ id: "DrainChange" });

export type WireDrain = Readonly<z.output<typeof drainSchema>>;
export type DrainChange = Readonly<z.output<typeof drainChangeSchema>>;
