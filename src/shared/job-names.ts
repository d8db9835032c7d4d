import type { z } from "zod";
import type { jobRequestSchema } from "./job.ts";

export const INTEGRATION_NAMES = ["wandb", "nullpointer"] as const;
export const NOTIFICATION_NAMES = ["discord", "phone"] as const;

export type JobRequestInput = Readonly<z.input<typeof jobRequestSchema>>;
