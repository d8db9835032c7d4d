import type { WireEstimate } from "../../../wire/wait.ts";
import { changeJob, decideByEvent } from "../../changes/change-job.ts";
import type { JobId, QueuedJob } from "../../core/jobs/job.ts";
import type { ApiContext } from "../context.ts";
import { estimateStarts } from "./estimate-start.ts";
import { explainQueue } from "./explain-queue.ts";

type Estimates = ReadonlyMap<JobId, WireEstimate>;

const MOST_AT_ONCE = 10;
const MOST_QUEUED = 50;

const keepEstimate = async (context: ApiContext, id: JobId, estimate: WireEstimate): Promise<Estimates> => {
  const kept = await changeJob(context, id, decideByEvent({ kind: "foresee", estimate }));
  return new Map(kept.ok ? [[id, estimate]] : []);
};

/** When jobs that have just been submitted start, kept with them; without those that start at once. None where they are more than ten, or more than fifty wait. */
export const estimateSubmitted = async (context: ApiContext, created: readonly QueuedJob[]): Promise<Estimates> => {
  const isBounded = created.length <= MOST_AT_ONCE && context.store.countJobs().queued <= MOST_QUEUED;
  if (created.length === 0 || !isBounded) return new Map();
  const explained = await explainQueue(context, []);
  const ids = created.map(({ id }) => id);
  const foreseen = [...(await estimateStarts(context, explained, ids))].filter(
    ([, { to }]) => to > Math.ceil(explained.now),
  );
  const kept = await Promise.all(foreseen.map(([id, estimate]) => keepEstimate(context, id, estimate)));
  return new Map(kept.flatMap((one) => [...one]));
};
