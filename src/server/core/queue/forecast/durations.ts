import type { ActiveJob, QueuedJob } from "../../jobs/job.ts";

/** A job that completed, and for how long it ran. */
export type EarlierRun = Readonly<{ command: string; seconds: number }>;

/** Seconds that a job runs in all, at least and at most; null where nobody knows. */
export type Span = Readonly<{ least: number; most: number | null }>;

const NEWEST = 10;

const capAt = (limitS: number | null, seconds: number): number =>
  limitS === null ? seconds : Math.min(limitS, seconds);

/** From the newest ten runs of the same command that took longer than it has run so far, else at most its time limit. */
export const foreseeSpan = (job: ActiveJob | QueuedJob, runs: readonly EarlierRun[], now: number): Span => {
  const elapsed = job.status === "queued" ? 0 : Math.max(0, now - job.startedAt);
  const limitS = job.timeLimitS ?? null;
  const fitting = runs.filter(({ command, seconds }) => command === job.command && seconds > elapsed).slice(0, NEWEST);
  if (fitting.length === 0) return { least: elapsed, most: limitS === null ? null : Math.max(limitS, elapsed) };
  const seconds = fitting.map((run) => capAt(limitS, run.seconds));
  return { least: Math.min(...seconds), most: Math.max(...seconds) };
};
