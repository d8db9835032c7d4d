import { parseDuration, writeDuration } from "../../../base/durations.ts";
import { err, ok, type Result } from "../../../base/result.ts";
import type { ActiveJob, QueuedJob } from "../jobs/job.ts";
import { createLimitReached, type Refusal } from "../refusal.ts";
import { countBooked } from "./booked-gpus.ts";

/** What one user's jobs may have; null for no limit. `maxTime` in seconds. */
export type UserLimits = Readonly<
  Record<"maxGpus" | "maxRunning" | "maxQueued" | "maxPriority" | "maxTime", number | null>
>;

/** As they are set; `maxTime` as `2h`. */
export type OwnLimits = Readonly<
  Partial<Record<Exclude<keyof UserLimits, "maxTime">, number | null> & Record<"maxTime", string | null>>
>;

/** For all, and for some by name, whose own limits win. */
export type LimitSettings = OwnLimits & Readonly<{ users?: readonly (Readonly<{ name: string }> & OwnLimits)[] }>;

export type LimitsOf = (user: string) => UserLimits;

/** What a user's jobs have that run or start. */
export type UserUse = Readonly<{ gpus: number; running: number }>;

/** A limit that the job would go over if it started now. */
export type ReachedNow = Readonly<{
  kind: "user_limit";
  limit: "max_gpus" | "max_running";
  max: number;
  used: number;
  until: null;
}>;

type Asked = Pick<QueuedJob, "user"> & Partial<Pick<QueuedJob, "numGpus" | "priority" | "timeLimitS">>;

export const createLimitsOf = ({ users = [], ...general }: LimitSettings): LimitsOf => {
  const resolve = (own: OwnLimits): UserLimits => {
    const read = (key: Exclude<keyof UserLimits, "maxTime">): number | null => own[key] ?? general[key] ?? null;
    return {
      maxGpus: read("maxGpus"),
      maxRunning: read("maxRunning"),
      maxQueued: read("maxQueued"),
      maxPriority: read("maxPriority"),
      maxTime: parseDuration(own.maxTime ?? general.maxTime ?? ""),
    };
  };
  const forAll = resolve({});
  const byName = new Map(users.map((user) => [user.name, resolve(user)]));
  return (user) => byName.get(user) ?? forAll;
};

const ROUNDING = 1e-9;
const HUNDREDTHS = 100;

const round = (gpus: number): number => Math.round(gpus * HUNDREDTHS) / HUNDREDTHS;

export const NO_LIMITS: LimitsOf = createLimitsOf({});

type Using = Pick<ActiveJob, "user" | "numGpus" | "bookedGpus">;

/** Of those users that have anything. */
export type UserUses = ReadonlyMap<string, UserUse>;

const NO_USE: UserUse = { gpus: 0, running: 0 };

export const readUse = (uses: UserUses, user: string): UserUse => uses.get(user) ?? NO_USE;

const addTo = ({ gpus, running }: UserUse, job: Using): UserUse => ({
  gpus: gpus + countBooked(job),
  running: running + 1,
});

export const addToUses = (uses: UserUses, job: Using): UserUses =>
  new Map(uses).set(job.user, addTo(readUse(uses, job.user), job));

export const countUses = (jobs: readonly Using[]): UserUses => {
  const uses = new Map<string, UserUse>();
  for (const job of jobs) uses.set(job.user, addTo(readUse(uses, job.user), job));
  return uses;
};

export const countUse = (user: string, jobs: readonly Using[]): UserUse => readUse(countUses(jobs), user);

const isOver = (max: number | null, asked: number): max is number => max !== null && asked > max + ROUNDING;

/** The limit that keeps a job waiting until others of its user end; null where none does. */
export const findReached = (
  numGpus: number,
  { maxGpus, maxRunning }: Pick<UserLimits, "maxGpus" | "maxRunning">,
  { gpus, running }: UserUse,
): ReachedNow | null => {
  const reached = (limit: ReachedNow["limit"], max: number, used: number): ReachedNow => ({
    kind: "user_limit",
    limit,
    max,
    used,
    until: null,
  });
  if (isOver(maxRunning, running + 1)) return reached("max_running", maxRunning, running);
  return numGpus > 0 && isOver(maxGpus, gpus + numGpus) ? reached("max_gpus", maxGpus, gpus) : null;
};

/** Whether a user's jobs may have to wait for each other. */
export const isLimited = ({ maxGpus, maxRunning }: UserLimits): boolean => (maxGpus ?? maxRunning) !== null;

const countBy = (max: number | null, used: number, each: number): number =>
  max === null || each === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor((max - used) / each + ROUNDING));

/** How many jobs that count as that many GPUs the limits leave room for. */
export const countStartsLeft = (numGpus: number, { maxGpus, maxRunning }: UserLimits, use: UserUse): number =>
  Math.min(countBy(maxRunning, use.running, 1), countBy(maxGpus, use.gpus, numGpus));

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** For people, no full stop. */
export const describeReached = (user: string, { limit, max, used }: ReachedNow): string =>
  limit === "max_running"
    ? `${user} may have ${countOf(max, "job")} running at once (max_running), and ${used} run or start before it`
    : `${user} may have ${countOf(max, "GPU")} at once (max_gpus), and jobs that run or start before it have ${round(used)}`;

const describeOver = (
  { user, numGpus = 0, priority = 0, timeLimitS = null }: Asked,
  { maxGpus, maxPriority, maxTime }: UserLimits,
): Refusal | null => {
  const refuse = (limit: string, { max, asked }: Readonly<{ max: number; asked: number }>, text: string): Refusal =>
    createLimitReached(`${user} may have ${text} (${limit})`, { limit, max, asked });
  if (isOver(maxPriority, priority))
    return refuse(
      "max_priority",
      { max: maxPriority, asked: priority },
      `a priority of at most ${maxPriority}, not ${priority}`,
    );
  if (isOver(maxGpus, numGpus))
    return refuse(
      "max_gpus",
      { max: maxGpus, asked: round(numGpus) },
      `at most ${countOf(maxGpus, "GPU")} at once, not ${round(numGpus)}`,
    );
  return timeLimitS !== null && isOver(maxTime, timeLimitS)
    ? refuse(
        "max_time",
        { max: maxTime, asked: timeLimitS },
        `a time of at most ${writeDuration(maxTime)}, not ${writeDuration(timeLimitS)}`,
      )
    : null;
};

/** Whether no waiting would ever let these start; `numGpus` are those that they count as. */
export const checkUserLimits = (jobs: readonly Asked[], limitsOf: LimitsOf): Result<void, Refusal> => {
  for (const job of jobs) {
    const refusal = describeOver(job, limitsOf(job.user));
    if (refusal !== null) return err(refusal);
  }
  return ok(undefined);
};

/** A job without a time has that of its user. */
export const giveTime = <Job extends Asked>(job: Job, { maxTime }: UserLimits): Job =>
  maxTime === null || typeof job.timeLimitS === "number" ? job : { ...job, timeLimitS: maxTime };
