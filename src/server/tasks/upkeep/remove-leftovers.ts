import { describeError } from "../../../base/describe-error.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";
import type { TaskContext } from "../context.ts";

const A_DAY_MS = 86_400_000;
const FOLDERS_A_TURN = 100;

const letOthersRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const tidyFolder = async ({ store, jobDirectory, log }: TaskContext, id: JobId): Promise<void> => {
  const job = store.findJob(id);
  try {
    if (job === null) await jobDirectory.remove(id);
    else if (isEnded(job)) await jobDirectory.removeRepo(id);
  } catch (error) {
    log.error("folder could not be removed", { job_id: id, message: describeError(error) });
  }
};

/** Removes what a server that died left of jobs that have ended or are gone; returns in how many milliseconds to look again. */
export const removeLeftovers = async (context: TaskContext): Promise<number> => {
  for (const [place, id] of (await context.jobDirectory.list()).entries()) {
    await tidyFolder(context, id);
    if (place % FOLDERS_A_TURN === 0) await letOthersRun();
  }
  return A_DAY_MS;
};
