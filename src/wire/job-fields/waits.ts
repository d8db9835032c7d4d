import { z } from "zod";
import { MAX_BATCH_SIZE } from "../limits.ts";

const heldSchema = z.boolean().meta({ description: "It keeps its place in the queue, and does not start" });

const beginSchema = z.number().min(0).meta({ description: "Unix time in seconds before which it does not start" });

const idsSchema = z
  .array(z.string().regex(/^[a-z0-9-]{1,64}$/, "A job id is 1 to 64 of a-z, 0-9 and -"))
  .max(MAX_BATCH_SIZE);

const afterSchema = idsSchema.meta({
  description: "It starts when all of these have completed, and fails with the first that does not",
});

const afterAnySchema = idsSchema.meta({ description: "It starts when each of these has ended, or was removed" });

const noPassingSchema = z
  .boolean()
  .meta({ description: "GPUs are kept for it from its submission, rather than once others have passed it for long" });

export const waitFields = {
  asked: {
    held: heldSchema.nullish(),
    begin_at: beginSchema.nullish(),
    after: afterSchema.nullish(),
    after_any: afterAnySchema.nullish(),
    no_passing: noPassingSchema.nullish(),
  },
  told: {
    held: heldSchema,
    begin_at: beginSchema.nullable(),
    after: afterSchema,
    after_any: afterAnySchema,
    no_passing: noPassingSchema,
  },
};
