import { z } from "zod";

const batchIdSchema = z.string().nullable().meta({ description: "Of what was submitted with others in one request" });

export const batchFields = { asked: {}, told: { batch_id: batchIdSchema } };
