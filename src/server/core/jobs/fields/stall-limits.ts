import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { takeGiven } from "./take-given.ts";

/** For how many seconds its GPUs may be idle, and its log not grow; null where that was taken away. */
export type StallLimits = Readonly<{ maxIdleS?: number | null; maxSilenceS?: number | null }>;

/** What is wrong with a limit of a job that has nothing that it could be of. */
export type StallConflict = Readonly<{ field: "max_idle_s"; message: string; type: "conflict" }>;

export const readStallLimits = ({ max_idle_s: maxIdleS, max_silence_s: maxSilenceS }: AskedFields): StallLimits =>
  takeGiven({ maxIdleS, maxSilenceS });

export const tellStallLimits = ({
  maxIdleS = null,
  maxSilenceS = null,
}: StallLimits): Pick<ToldFields, "max_idle_s" | "max_silence_s"> => ({
  max_idle_s: maxIdleS,
  max_silence_s: maxSilenceS,
});

export const findStallConflict = ({
  maxIdleS = null,
  numGpus,
}: StallLimits & Readonly<{ numGpus: number }>): StallConflict | null =>
  maxIdleS === null || numGpus > 0
    ? null
    : { field: "max_idle_s", message: "A job without GPUs has none that could be idle", type: "conflict" };
