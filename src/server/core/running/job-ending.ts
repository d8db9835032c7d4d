import { isStopping } from "../jobs/halt.ts";
import type { ActiveJob, JobHandle, JobId } from "../jobs/job.ts";
import type { JobEvent } from "../jobs/job-transition.ts";
import type { Observation } from "./executor.ts";
import { describeJobrcFailure } from "./failure-reason.ts";
import { planLeftoverNotes } from "./leftovers.ts";

export type Kill = Readonly<{ job: ActiveJob; force: boolean }>;

/** What became of a job: it has ended, it turned out to run, or it never started. */
export type Ending =
  | Readonly<{ kind: "finish"; job: ActiveJob; event: Extract<JobEvent, { kind: "exit" | "lose" }> }>
  | Readonly<{ kind: "adopt"; job: ActiveJob; handle: JobHandle }>
  | Readonly<{ kind: "requeue"; job: ActiveJob }>;

/** `killedSince` holds when TERM was first sent, in seconds. */
export type EndingFacts = Readonly<{ now: number; killedSince: ReadonlyMap<JobId, number> }>;

type Exited = Extract<Observation, { kind: "exited" }>;

const KILL_GRACE_S = 10;

const mustGo = (job: ActiveJob, seen: Observation | undefined): boolean => {
  if (seen?.kind === "exited") return seen.processesLeft > 0;
  return seen?.kind === "alive" && job.status === "running" && isStopping(job);
};

const decideKill = (job: ActiveJob, seen: Observation | undefined, facts: EndingFacts): readonly Kill[] => {
  if (!mustGo(job, seen)) return [];
  const since = facts.killedSince.get(job.id);
  if (since === undefined) return [{ job, force: false }];
  return facts.now - since >= KILL_GRACE_S ? [{ job, force: true }] : [];
};

const describeExit = (job: ActiveJob, seen: Exited, now: number): Extract<JobEvent, { kind: "exit" }> => {
  const { exitCode, exitedAt, jobrcLine } = seen;
  const failed = jobrcLine === undefined ? {} : { reason: describeJobrcFailure(job.jobrc ?? "", jobrcLine) };
  const notes = planLeftoverNotes(job, seen.left);
  return {
    kind: "exit",
    at: Math.min(exitedAt ?? now, now),
    exitCode,
    ...failed,
    ...(notes.length > 0 ? { notes } : {}),
  };
};

const loseJob = (job: ActiveJob, at: number, reason: string): Ending => ({
  kind: "finish",
  job,
  event: { kind: "lose", at, reason },
});

const decideUnstarted = (job: ActiveJob, now: number): readonly Ending[] => {
  return [isStopping(job) ? loseJob(job, now, "Killed before it started") : { kind: "requeue", job }];
};

const decideEnding = (job: ActiveJob, seen: Observation | undefined, now: number): readonly Ending[] => {
  switch (seen?.kind) {
    case undefined:
      return [];
    case "alive":
      return job.status === "starting" ? [{ kind: "adopt", job, handle: seen.handle }] : [];
    case "unstarted":
      return decideUnstarted(job, now);
    case "exited":
      return seen.processesLeft > 0 ? [] : [{ kind: "finish", job, event: describeExit(job, seen, now) }];
    case "lost":
      return [loseJob(job, now, seen.reason)];
  }
};

/** What the observations of active jobs ask for. A job that was never probed, or goes on, asks for nothing. */
export const decideEndings = (
  jobs: readonly ActiveJob[],
  observations: ReadonlyMap<JobId, Observation>,
  facts: EndingFacts,
): Readonly<{ kills: readonly Kill[]; endings: readonly Ending[] }> => ({
  kills: jobs.flatMap((job) => decideKill(job, observations.get(job.id), facts)),
  endings: jobs.flatMap((job) => decideEnding(job, observations.get(job.id), facts.now)),
});
