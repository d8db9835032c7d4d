import type { ActiveJob, JobId } from "../../../core/jobs/job.ts";
import { readLabel, readProcess } from "./process-table.ts";

const MOST_PARENTS = 100;

const isSessionOf = (pid: number, { status, ...job }: ActiveJob): boolean =>
  status === "running" && "handle" in job && job.handle.kind === "screen" && job.handle.pid === pid;

/** The job of which a process is: it, or one that it descends from, bears its id or is its session; null where that is none of them. */
export const findJobOf = (pid: number, active: readonly ActiveJob[]): JobId | null => {
  let next = pid;
  for (let step = 0; step < MOST_PARENTS && next > 1; step += 1) {
    const label = readLabel(next);
    const job = active.find((one) => (label.kind === "job" && label.id === one.id) || isSessionOf(next, one));
    if (job !== undefined) return job.id;
    next = readProcess(next)?.parentPid ?? 0;
  }
  return null;
};
