import { err, ok, type Result } from "../../../base/result.ts";
import { isMoving, type Job, type JobId } from "../../core/jobs/job.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { ApiContext, AppRequest, Peer } from "../context.ts";
import { findJob } from "./find-job.ts";

const LOOK_AGAIN_MS = 1000;

/** The job once what it made has been moved, or could not be. */
export const awaitOutputs = async (
  { store, feed, isStopping }: Pick<ApiContext, "store" | "feed" | "isStopping">,
  request: AppRequest,
  id: JobId,
): Promise<Result<Job, Refusal>> => {
  const { holdOpen }: Peer = request.env.peer;
  try {
    for (;;) {
      const job = findJob(store, id);
      if (!job.ok || !isMoving(job.value)) return job;
      if (isStopping()) return err(createRefusal("UNAVAILABLE", "The server is shutting down"));
      if (request.req.raw.signal.aborted) return ok(job.value);
      holdOpen?.(true);
      await feed.waitForChange(LOOK_AGAIN_MS);
    }
  } finally {
    holdOpen?.(false);
  }
};
