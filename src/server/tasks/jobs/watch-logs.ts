import type { JobId, RunningJob } from "../../core/jobs/job.ts";
import { chooseStallLimit, type StallLimit } from "../../core/running/stall-watch.ts";
import type { TaskContext } from "../context.ts";
import { chooseLookDelay, createStallWatch, listRunning } from "./look-at-jobs.ts";

const limitOf = ({ maxSilenceS = null }: RunningJob): StallLimit => chooseStallLimit(maxSilenceS, null);

/** Returns a task that sees to jobs whose logs may not stay as they are for long. */
export const createLogWatch = (context: TaskContext): (() => Promise<number>) => {
  const watchStalls = createStallWatch(context);
  return async () => {
    const jobs = listRunning(context).filter((job) => limitOf(job).endS !== null);
    const sizes = new Map<JobId, number | null>();
    for (const { id } of jobs) sizes.set(id, await context.logs.measure(id));
    const find = ({ id }: RunningJob): string | null => sizes.get(id)?.toString() ?? null;
    await watchStalls({ stall: "silence", jobs, find, limitOf });
    return chooseLookDelay(context);
  };
};
