import { z } from "zod";

const batchIdSchema = z.string().nullable().meta({ description: "Of what was submitted with others in one request" });

const maxSchema = z.int().min(1).meta({ description: "So many jobs of its batch run at most at once" });

export const batchFields = {
  asked: { batch_max: maxSchema.nullish() },
  told: { batch_id: batchIdSchema, batch_max: maxSchema.nullable() },
};
