import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { type JobBatch, readBatch, tellBatch } from "./batches.ts";
import { type GpuKinds, readGpuKinds, tellGpuKinds } from "./gpu-kinds.ts";
import { type HostNeed, readHostNeed, tellHostNeed } from "./host-parts.ts";
import { type JobLabels, readLabels, tellLabels } from "./labels.ts";
import { type Retries, readRetries, tellRetries } from "./retries.ts";
import { readStallLimits, type StallLimits, tellStallLimits } from "./stall-limits.ts";
import { readTimeLimits, type TimeLimits, tellTimeLimits } from "./time-limits.ts";
import { type Asker, type JobWaits, readWaits, tellWaits } from "./waits.ts";

/** What is asked for a job beside what it runs, a file for each subject; absent where nobody asked, so also of jobs of earlier versions. */
export type JobFields = JobBatch & JobLabels & JobWaits & TimeLimits & StallLimits & Retries & GpuKinds & HostNeed;

/** Those that a request or a patch gives. */
export const readJobFields = (asked: AskedFields, asker: Asker): JobFields => ({
  ...readBatch(asked),
  ...readLabels(asked),
  ...readWaits(asked, asker),
  ...readTimeLimits(asked),
  ...readStallLimits(asked),
  ...readRetries(asked),
  ...readGpuKinds(asked),
  ...readHostNeed(asked),
});

export const tellJobFields = (job: JobFields): ToldFields => ({
  ...tellBatch(job),
  ...tellLabels(job),
  ...tellWaits(job),
  ...tellTimeLimits(job),
  ...tellStallLimits(job),
  ...tellRetries(job),
  ...tellGpuKinds(job),
  ...tellHostNeed(job),
});

const FIELDS_AT_ANY_TIME: ReadonlySet<string> = new Set([
  "name",
  "note",
  "batchMax",
] satisfies readonly (keyof JobFields)[]);

const FIELDS_WHILE_IT_RUNS: ReadonlySet<string> = new Set(["timeLimitS"] satisfies readonly (keyof JobFields)[]);

/** Whether all of them may be changed of a job that runs or has ended: most say how it starts. */
export const isForAnyTime = (fields: JobFields, isRunning: boolean): boolean =>
  Object.keys(fields).every((name) => FIELDS_AT_ANY_TIME.has(name) || (isRunning && FIELDS_WHILE_IT_RUNS.has(name)));

const WAITING_FIELDS = ["held", "begin_at", "after", "after_any"] as const satisfies readonly (keyof AskedFields)[];

const isNothing = (value: AskedFields[keyof AskedFields]): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** A field that says when a job may start, which one that starts at once can't have; null where there is none. */
export const findWaitingField = (asked: AskedFields): keyof AskedFields | null =>
  WAITING_FIELDS.find((field) => !isNothing(asked[field])) ?? null;
