import type { ActiveJob, JobHandle, QueuedJob } from "./job.ts";
import type { JobEvent } from "./job-transition.ts";
import type { Observation } from "./ports.ts";

export type Action =
  | Readonly<{ kind: "start"; job: QueuedJob; gpuIdxs: readonly number[] }>
  | Readonly<{ kind: "kill"; job: ActiveJob; force: boolean }>
  | Readonly<{ kind: "finish"; job: ActiveJob; event: Extract<JobEvent, { kind: "exit" | "lose" }> }>
  | Readonly<{ kind: "adopt"; job: ActiveJob; handle: JobHandle }>
  | Readonly<{ kind: "requeue"; job: ActiveJob }>;

type Exited = Extract<Observation, { kind: "exited" }>;
type KillFacts = Readonly<{ now: number; killedSince: number | undefined }>;

const KILL_GRACE_S = 10;

const decideKill = (job: ActiveJob, { now, killedSince }: KillFacts): readonly Action[] => {
  const force = killedSince !== undefined && now - killedSince >= KILL_GRACE_S;
  return killedSince === undefined || force ? [{ kind: "kill", job, force }] : [];
};

const describeExit = ({ exitCode, exitedAt }: Exited, now: number): Extract<JobEvent, { kind: "exit" }> => ({
  kind: "exit",
  at: Math.min(exitedAt ?? now, now),
  exitCode,
});

const decideRunning = (job: ActiveJob, observation: Observation | undefined, facts: KillFacts): readonly Action[] => {
  switch (observation?.kind) {
    case undefined:
    case "unstarted":
      return [];
    case "alive":
      return job.markedForKill ? decideKill(job, facts) : [];
    case "exited":
      if (observation.processesLeft > 0) return decideKill(job, facts);
      return [{ kind: "finish", job, event: describeExit(observation, facts.now) }];
    case "lost":
      return [{ kind: "finish", job, event: { kind: "lose", at: facts.now, reason: observation.reason } }];
  }
};

const decideUnstarted = (job: ActiveJob, now: number): Action =>
  job.markedForKill
    ? { kind: "finish", job, event: { kind: "lose", at: now, reason: "Killed before it started" } }
    : { kind: "requeue", job };

/** What an observation of an active job asks for. A job that was never probed, or goes on, asks for nothing. */
export const decideEnding = (
  job: ActiveJob,
  observation: Observation | undefined,
  facts: KillFacts,
): readonly Action[] => {
  if (job.status === "starting" && observation?.kind === "alive") {
    return [{ kind: "adopt", job, handle: observation.handle }];
  }
  if (job.status === "starting" && observation?.kind === "unstarted") return [decideUnstarted(job, facts.now)];
  return decideRunning(job, observation, facts);
};
