import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import type { RetryCause } from "../../../../wire/job-fields/retries.ts";

export type Retry = Readonly<{ count: number; causes: readonly RetryCause[] }>;

/** How often the job is put back in the queue, and after which failures; null where that was taken away. */
export type Retries = Readonly<{ retry?: Retry | null }>;

export const readRetries = ({ retry }: AskedFields): Retries => {
  if (retry === undefined) return {};
  return { retry: retry === null || retry.count === 0 ? null : retry };
};

export const tellRetries = ({ retry = null }: Retries): Pick<ToldFields, "retry"> => ({
  retry: retry === null ? null : { count: retry.count, causes: [...retry.causes] },
});
