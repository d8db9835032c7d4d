import type { Job } from "../core/jobs/job.ts";
import type { Transaction } from "../core/store.ts";
import type { Consequence } from "./dependents.ts";

/** What becomes of the others of its batch where the limit of that was changed. */
export const listBatchEdits = (
  transaction: Pick<Transaction, "listBatch">,
  { before, after }: Readonly<{ before: Job; after: Job | null }>,
): readonly Consequence[] => {
  const { id, batchId, batchMax = null } = before;
  const max = after?.batchMax ?? null;
  if (after === null || batchId === undefined || max === batchMax) return [];
  const event = { kind: "edit", fields: { batchMax: max } } as const;
  return transaction
    .listBatch(batchId)
    .flatMap((one) => (one === id ? [] : [{ id: one, event, reason: `edited with job ${id} of its batch` }]));
};
