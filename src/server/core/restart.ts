import type { ActiveJob, JobId } from "./job.ts";
import { type Action, decideEnding } from "./job-ending.ts";
import type { Observation } from "./ports.ts";

/** What became of the active jobs while no server was there, and what to do about it. */
export const planRestart = (
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
  now: number,
): readonly Action[] =>
  jobs.flatMap((job) => decideEnding(job, observations.get(job.id), { now, killedSince: undefined }));
