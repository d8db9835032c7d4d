import { z } from "zod";

export const notificationTestSchema = z
  .object({
    channel: z.string().max(64).nullish().meta({ description: "One channel; without it all that the server names" }),
    env: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: "What discord, phone and nullpointer need of a job's environment" }),
  })
  .meta({ id: "NotificationTest" });

export const notificationTestResultSchema = z
  .object({
    channel: z.string(),
    delivered: z.boolean(),
    message: z.string().nullable().meta({ description: "Why it was not delivered" }),
    reference: z.string().nullable(),
    seconds: z.number(),
  })
  .meta({ id: "NotificationTestResult" });

export type NotificationTest = Readonly<z.output<typeof notificationTestSchema>>;
export type NotificationTestResult = Readonly<z.output<typeof notificationTestResultSchema>>;
