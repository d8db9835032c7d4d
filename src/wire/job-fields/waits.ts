import { z } from "zod";

const heldSchema = z.boolean().meta({ description: "It keeps its place in the queue, and does not start" });

const beginSchema = z.number().min(0).meta({ description: "Unix time in seconds before which it does not start" });

export const waitFields = {
  asked: { held: heldSchema.nullish(), begin_at: beginSchema.nullish() },
  told: { held: heldSchema, begin_at: beginSchema.nullable() },
};
