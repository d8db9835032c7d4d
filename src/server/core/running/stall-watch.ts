import { isStopping } from "../jobs/halt.ts";
import type { JobId, RunningJob } from "../jobs/job.ts";
import type { JobEvent } from "../jobs/job-transition.ts";
import type { Stall } from "../jobs/stall.ts";

type Count = Readonly<{ mark: string; sinceS: number; lastS: number }>;

/** Of each job, since when each look has found the same; by a clock that nobody sets. */
export type StallCounts = ReadonlyMap<JobId, Count>;

/** After how many seconds a job is ended, and its owner told; null where that never is. */
export type StallLimit = Readonly<{ endS: number | null; warnS: number | null }>;

/**
 * What one look found: `find` has a mark of each job that stays the same while it does nothing, null while it does something or that is not known. Looks that are
 * more than `maxGapS` apart leave a time in which nobody looked.
 */
export type StallFacts = Readonly<{
  stall: Stall;
  jobs: readonly RunningJob[];
  find: (job: RunningJob) => string | null;
  limitOf: (job: RunningJob) => StallLimit;
  before: StallCounts;
  nowS: number;
  maxGapS: number;
}>;

type Change = Readonly<{ id: JobId; event: Extract<JobEvent, Readonly<{ kind: "halt" | "tell_stall" }>> }>;

export type StallJudgement = Readonly<{ counts: StallCounts; changes: readonly Change[] }>;

const countOn = (job: RunningJob, { find, before, nowS, maxGapS }: StallFacts): Count | null => {
  const found = find(job);
  if (found === null) return null;
  const mark = `${job.startedAt} ${found}`;
  const last = before.get(job.id);
  const isUnbroken = last?.mark === mark && nowS - last.lastS <= maxGapS;
  return isUnbroken ? { ...last, lastS: nowS } : { mark, sinceS: nowS, lastS: nowS };
};

const judge = (job: RunningJob, forS: number, { stall, limitOf }: StallFacts): Change["event"] | null => {
  if (isStopping(job)) return null;
  const { endS, warnS } = limitOf(job);
  if (endS !== null && forS >= endS) return { kind: "halt", halt: { cause: stall, limitS: endS } };
  const isDue = warnS !== null && forS >= warnS && job.toldStalls?.[stall] === undefined;
  return isDue ? { kind: "tell_stall", stall, told: { forS: Math.floor(forS), limitS: endS } } : null;
};

/** What comes of jobs that do nothing: some are to be told of, once an attempt, and some to be ended. What is not known, or was not looked at, begins the count anew. */
export const judgeStalls = (facts: StallFacts): StallJudgement => {
  const counts = new Map<JobId, Count>();
  const changes: Change[] = [];
  for (const job of facts.jobs) {
    const count = countOn(job, facts);
    if (count === null) continue;
    counts.set(job.id, count);
    const event = judge(job, facts.nowS - count.sinceS, facts);
    if (event !== null) changes.push({ id: job.id, event });
  }
  return { counts, changes };
};

/** `warnS` where that comes first, else half of the time. */
export const chooseStallLimit = (endS: number | null, warnS: number | null): StallLimit => {
  if (endS === null) return { endS, warnS };
  return { endS, warnS: warnS !== null && warnS < endS ? warnS : endS / 2 };
};
