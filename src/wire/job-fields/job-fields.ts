import { z } from "zod";
import { batchFields } from "./batches.ts";
import { gpuKindFields } from "./gpu-kinds.ts";
import { hostPartFields } from "./host-parts.ts";
import { labelFields } from "./labels.ts";
import { retryFields } from "./retries.ts";
import { stallLimitFields } from "./stall-limits.ts";
import { timeLimitFields } from "./time-limits.ts";
import { waitFields } from "./waits.ts";

/** What a request or a patch may say of a job beside what it runs, a file for each subject; null in a request is the same as nothing, in a patch it takes the field away. */
export const askedFields = {
  ...batchFields.asked,
  ...labelFields.asked,
  ...waitFields.asked,
  ...timeLimitFields.asked,
  ...stallLimitFields.asked,
  ...retryFields.asked,
  ...gpuKindFields.asked,
  ...hostPartFields.asked,
};

/** The same as each answer tells it. */
export const toldFields = {
  ...batchFields.told,
  ...labelFields.told,
  ...waitFields.told,
  ...timeLimitFields.told,
  ...stallLimitFields.told,
  ...retryFields.told,
  ...gpuKindFields.told,
  ...hostPartFields.told,
};

const askedSchema = z.object(askedFields);
const toldSchema = z.object(toldFields);

export type AskedFields = Readonly<z.output<typeof askedSchema>>;
export type ToldFields = Readonly<z.output<typeof toldSchema>>;
