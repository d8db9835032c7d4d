import { BATCHES } from "./batches.ts";
import { GPU_KINDS } from "./gpu-kinds.ts";
import { HOST_PARTS } from "./host-parts.ts";
import type { JobField } from "./job-field.ts";
import { LABELS } from "./labels.ts";
import { RETRIES } from "./retries.ts";
import { STALL_LIMITS } from "./stall-limits.ts";
import { TIME_LIMITS } from "./time-limits.ts";
import { WAITS } from "./waits.ts";

/** All fields that a submission or `nx edit` may give a job, a file for each subject. */
export const JOB_FIELDS: readonly JobField[] = [
  ...LABELS,
  ...WAITS,
  ...TIME_LIMITS,
  ...STALL_LIMITS,
  ...RETRIES,
  ...GPU_KINDS,
  ...HOST_PARTS,
  ...BATCHES,
];

/** Those of what is put into the queue alone. */
export const WAIT_FIELDS: readonly JobField[] = JOB_FIELDS.filter(({ waits }) => waits);

/** Those of what starts at once, too. */
export const RUN_FIELDS: readonly JobField[] = JOB_FIELDS.filter(({ waits }) => !waits);
