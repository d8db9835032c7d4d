import type { JobId, RunningJob } from "../jobs/job.ts";

/** Of the jobs whose foreground process waits for input from its terminal now, a mark that is another once input came or anything was printed. */
export type FindInputWaits = (jobs: readonly RunningJob[]) => Promise<ReadonlyMap<JobId, string>>;

/** `since` in seconds, on a clock that nobody sets. */
export type InputWatch = Readonly<{ mark: string; since: number }>;

/** Whether a job waits for input is told after so many seconds. */
export const INPUT_WAIT_S = 300;

export const isWaitingForInput = ({ inputSince }: Pick<RunningJob, "inputSince">): boolean =>
  (inputSince ?? null) !== null;

/** A job that an earlier server found waiting goes on to do so until its mark changes. */
export const watchInput = (
  job: Pick<RunningJob, "inputSince">,
  { before, mark, now }: Readonly<{ before: InputWatch | undefined; mark: string; now: number }>,
): InputWatch => {
  if (before?.mark === mark) return before;
  const isKnown = before === undefined && isWaitingForInput(job);
  return { mark, since: isKnown ? now - INPUT_WAIT_S : now };
};

/** What is to be written of it: since when the job waits, null once it no longer does; undefined where nothing changed. */
export const judgeInput = (
  job: Pick<RunningJob, "inputSince">,
  watch: InputWatch | undefined,
  { uptime, now }: Readonly<{ uptime: number; now: number }>,
): number | null | undefined => {
  const waitedS = watch === undefined ? 0 : uptime - watch.since;
  const isLong = watch !== undefined && waitedS >= INPUT_WAIT_S;
  if (isLong === isWaitingForInput(job)) return undefined;
  return isLong ? now - waitedS : null;
};
