import { listPast } from "../jobs/attempt.ts";
import { type ActiveJob, isActive, isEnded, type Job } from "../jobs/job.ts";

/** GPU seconds of a user, each halved for every half-life that had gone by at `at`. */
export type KeptUse = Readonly<{ user: string; seconds: number; at: number }>;

/** A time in which a user had so many GPUs, shared ones by their booked part. */
export type Stretch = Readonly<{ user: string; gpus: number; from: number; to: number }>;

/** What a user's jobs had of the GPUs, the newest the most. */
export type UseOf = (user: string) => number;

/** The same at any time, with these stretches that are not kept yet. */
export type UseAt = (now: number, stretches: readonly Stretch[]) => UseOf;

const fade = (elapsedS: number, halfLifeS: number): number => 2 ** (-Math.max(0, elapsedS) / halfLifeS);

const weigh = ({ gpus, from, to }: Stretch, now: number, halfLifeS: number): number =>
  Math.max(0, ((gpus * halfLifeS) / Math.LN2) * (fade(now - to, halfLifeS) - fade(now - from, halfLifeS)));

const ageUse = ({ seconds, at }: KeptUse, now: number, halfLifeS: number): number =>
  seconds * fade(now - at, halfLifeS);

export const addStretch = (kept: KeptUse, stretch: Stretch, halfLifeS: number): KeptUse => {
  const at = Math.max(kept.at, stretch.to);
  return { ...kept, at, seconds: ageUse(kept, at, halfLifeS) + weigh(stretch, at, halfLifeS) };
};

const findEnd = (before: Job, after: Job): number | null => {
  if (isEnded(after)) return after.completedAt;
  const attempts = listPast(after);
  return attempts.length > listPast(before).length ? (attempts.at(-1)?.endedAt ?? null) : null;
};

/** What a running attempt has had of the GPUs until then. */
export const toStretch = ({ user, bookedGpus, gpuIdxs, startedAt }: ActiveJob, to: number): Stretch => ({
  user,
  gpus: bookedGpus ?? gpuIdxs.length,
  from: startedAt,
  to,
});

/** What an attempt that a change of its job ended had of the GPUs; null where none ended, or had any. */
export const findStretch = (before: Job, after: Job): Stretch | null => {
  if (!isActive(before) || before.gpuIdxs.length === 0) return null;
  const to = findEnd(before, after);
  return to === null ? null : toStretch(before, to);
};

/** Of the figures kept and the times that are not over. */
export const createUseOf = (
  kept: readonly KeptUse[],
  running: readonly Stretch[],
  { now, halfLifeS }: Readonly<{ now: number; halfLifeS: number }>,
): UseOf => {
  const uses = new Map(kept.map((use) => [use.user, ageUse(use, now, halfLifeS)]));
  for (const stretch of running) uses.set(stretch.user, (uses.get(stretch.user) ?? 0) + weigh(stretch, now, halfLifeS));
  return (user) => uses.get(user) ?? 0;
};

/** Who goes first, those together who had the same. */
export const rankUsers = (users: readonly string[], useOf: UseOf): readonly (readonly string[])[] =>
  [...Map.groupBy(users, useOf)].toSorted(([a], [b]) => a - b).map(([, same]) => same);
