import { z } from "zod";

export const heldEstimatesSchema = z
  .object({
    since: z.number().meta({ description: "Unix time in seconds" }),
    until: z.number(),
    jobs: z.int().meta({
      description: "That started within that time for the first time, and had an estimate since they were submitted",
    }),
    within: z.int().meta({ description: "Of these: that started as estimated, at most a minute early or late" }),
    before: z.int(),
    after: z.int(),
    held_share: z.number().nullable().meta({ description: "`within` of `jobs`; null where there are none" }),
  })
  .meta({ id: "HeldEstimates" });

export type HeldEstimates = Readonly<z.output<typeof heldEstimatesSchema>>;
