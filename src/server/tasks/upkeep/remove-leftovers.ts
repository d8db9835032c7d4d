import { describeError } from "../../../base/describe-error.ts";
import { changeJob, decideByEvent } from "../../changes/change-job.ts";
import { type EndedJob, isEnded, type JobId } from "../../core/jobs/job.ts";
import type { TaskContext } from "../context.ts";
import { forgetOutputs } from "./forget-outputs.ts";

const A_DAY_MS = 86_400_000;
const FOLDERS_A_TURN = 100;

const letOthersRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const tidyEnded = async (context: TaskContext, { id, outputs }: EndedJob): Promise<void> => {
  if (!(await context.outputs.isUnmoved(id))) {
    await context.jobDirectory.removeRepo(id);
    if (outputs.state !== "moving") await context.outputs.finish(id);
    if (outputs.state === "kept" && !context.outputs.isThere(id)) await forgetOutputs(context, id);
    return;
  }
  if (outputs.state === "moving") return;
  const reason = "its folder holds what is not kept yet";
  await changeJob(context, id, decideByEvent({ kind: "account", outputs: { state: "moving" } }, reason));
};

const removeUnknown = async ({ jobDirectory, outputs, log }: TaskContext, id: JobId): Promise<void> => {
  if (await outputs.holdsWork(id))
    log.warn("the folder of a job that is not known stays: it may hold what one made", { job_id: id });
  else await jobDirectory.remove(id);
};

const tidyFolder = async (context: TaskContext, id: JobId): Promise<void> => {
  const job = context.store.findJob(id);
  try {
    if (job === null) await removeUnknown(context, id);
    else if (isEnded(job)) await tidyEnded(context, job);
  } catch (error) {
    context.log.error("folder could not be removed", { job_id: id, message: describeError(error) });
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
