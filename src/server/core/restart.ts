import type { ActiveJob, JobId } from "./job.ts";
import { type Action, decideEnding } from "./job-ending.ts";
import type { Observation } from "./ports.ts";

const NEVER_KILLED = undefined;

const planStarting = (job: ActiveJob, observation: Observation | undefined, now: number): readonly Action[] => {
  switch (observation?.kind) {
    case "alive":
      return [{ kind: "adopt", job, handle: observation.handle }];
    case "unstarted":
      return job.markedForKill
        ? [{ kind: "finish", job, event: { kind: "lose", at: now, reason: "Killed before it started" } }]
        : [{ kind: "requeue", job }];
    case undefined:
    case "exited":
    case "lost":
      return decideEnding(job, observation, { now, killedSince: NEVER_KILLED });
  }
};

const planRunning = (job: ActiveJob, observation: Observation | undefined, now: number): readonly Action[] =>
  observation?.kind === "alive" ? [] : decideEnding(job, observation, { now, killedSince: NEVER_KILLED });

/** What became of the active jobs while no server was there; `observations` must hold each of them. */
export const planRestart = (
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
  now: number,
): readonly Action[] =>
  jobs.flatMap((job) => {
    const observation = observations.get(job.id);
    return job.status === "starting" ? planStarting(job, observation, now) : planRunning(job, observation, now);
  });
