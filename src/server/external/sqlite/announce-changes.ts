import type { Store, StoreChange, Transaction } from "../../core/store.ts";

type Add = (change: StoreChange) => void;

const noteChanges = (transaction: Transaction, add: Add): Transaction => ({
  ...transaction,
  insertJob: (job, env) => {
    transaction.insertJob(job, env);
    add({ kind: "job", job });
  },
  saveJob: (job) => {
    transaction.saveJob(job);
    add({ kind: "job", job });
  },
  deleteJob: (id) => {
    transaction.deleteJob(id);
    add({ kind: "removal", id });
  },
  setBlacklisted: (gpuIdx, blacklisted) => {
    const changed = transaction.setBlacklisted(gpuIdx, blacklisted);
    if (changed) add({ kind: "blacklist", gpuIdx, blacklisted });
    return changed;
  },
});

/** A store that tells what each write changed, in the order of the writes, before the writer hears of it. */
export const announceChanges = (store: Store, publish: (changes: readonly StoreChange[]) => void): Store => ({
  ...store,
  write: async (change) => {
    const changes: StoreChange[] = [];
    const written = await store.write((transaction) => change(noteChanges(transaction, (one) => changes.push(one))));
    if (written.ok && changes.length > 0) publish(changes);
    return written;
  },
});
