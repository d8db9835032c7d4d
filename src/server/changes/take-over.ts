import { err, ok, type Problem, type Result } from "../../base/result.ts";
import type { TakenJob } from "../core/jobs/earlier/earlier-job.ts";
import type { Job, QueuedJob } from "../core/jobs/job.ts";
import type { Transaction } from "../core/store.ts";

/** Jobs in the order in which they came. */
export type Inheritance = Readonly<{ jobs: readonly TakenJob[]; blacklist: readonly number[] }>;

const toQueued = (job: Job): QueuedJob => ({ ...job, status: "queued" });

const place = (transaction: Transaction, { job, env }: TakenJob): void => {
  transaction.insertJob(toQueued(job), env);
  if (job.status !== "queued") transaction.saveJob(job);
};

/** Writes down the jobs of an earlier Nexus as they are, and tells nobody: their owners heard of them there. None, where one can't be. */
export const takeOver = (transaction: Transaction, inheritance: Inheritance): Result<void, Problem> => {
  const { jobs, blacklist } = inheritance;
  const other = jobs.find(({ job }) => transaction.findJob(job.id) !== null);
  if (other !== undefined) {
    const { id } = other.job;
    return err({ message: `another job is called ${id} here: remove it, or take over into another --server-dir` });
  }
  for (const taken of jobs) place(transaction, taken);
  for (const gpu of blacklist) transaction.setBlacklisted(gpu, true);
  transaction.addTakenOver(jobs.map(({ job }) => job.id));
  return ok(undefined);
};
