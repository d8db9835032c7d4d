import type { AskedFields, ToldFields } from "../../../../wire/job-fields/job-fields.ts";
import { createRefusal, type Refusal } from "../../refusal.ts";
import { takeGiven } from "./take-given.ts";

/**
 * What keeps a job from its turn, whatever is free. `heldBy` is who held it, `beginAt` (Unix seconds) when it may start first; `after` are the
 * jobs that have to complete first, `afterAny` those that have to end, and `isWaiting` whether some of them still have to. `blockedSince` is since when
 * something other than time has kept it, `noPassing` whether GPUs are kept for it at once, `uncountedS` for how long that was before, from its beginning on (less than nothing where it waited before that was moved): none of it counts as time in which others were let go first.
 */
export type JobWaits = Readonly<{
  heldBy?: "user" | "admin" | null;
  beginAt?: number | null;
  after?: readonly string[] | null;
  afterAny?: readonly string[] | null;
  isWaiting?: boolean;
  noPassing?: boolean | null;
  blockedSince?: number | null;
  uncountedS?: number;
}>;

/** Who asks for the fields. */
export type Asker = Readonly<{ isAdmin: boolean }>;

/** `retryAt`: of a job between two attempts. */
export type Delayed = JobWaits & Readonly<{ past?: Readonly<{ retryAt: number }> }>;

const BEFORE_ALL_TIMES = -1;

type Placed = Delayed & Readonly<{ createdAt: number }>;

const readHold = (held: boolean | null | undefined, { isAdmin }: Asker): JobWaits["heldBy"] => {
  if (held === undefined) return undefined;
  if (!held) return null;
  return isAdmin ? "admin" : "user";
};

const dropTwins = (ids: readonly string[] | null | undefined): readonly string[] | null | undefined =>
  ids && [...new Set(ids)];

export const readWaits = (asked: AskedFields, asker: Asker): JobWaits =>
  takeGiven({
    heldBy: readHold(asked.held, asker),
    beginAt: asked.begin_at,
    after: dropTwins(asked.after),
    afterAny: dropTwins(asked.after_any),
    noPassing: asked.no_passing,
  });

type ToldWaits = Pick<ToldFields, "held" | "begin_at" | "after" | "after_any" | "no_passing">;

export const tellWaits = ({ heldBy = null, beginAt = null, after, afterAny, noPassing }: JobWaits): ToldWaits => ({
  held: heldBy !== null,
  begin_at: beginAt,
  after: [...(after ?? [])],
  after_any: [...(afterAny ?? [])],
  no_passing: noPassing === true,
});

/** Whether something keeps it that no clock ends. */
export const isBlocked = ({ heldBy = null, isWaiting = false }: JobWaits): boolean => heldBy !== null || isWaiting;

const findOpening = ({ createdAt, beginAt = null, past }: Placed): number =>
  Math.max(createdAt, beginAt ?? createdAt, past?.retryAt ?? createdAt);

/** Since when nothing but the machine has kept it from starting, as if all of that time had been at one piece; before all times where no other may pass it. */
export const findWaitsSince = (job: Placed): number =>
  job.noPassing === true ? BEFORE_ALL_TIMES : findOpening(job) + (job.uncountedS ?? 0);

const keepCounted = <Job extends Placed>(before: Placed, after: Job, at: number): Job => {
  const [was, is] = [findOpening(before), findOpening(after)];
  if (was === is) return after;
  if (before.past?.retryAt !== after.past?.retryAt) return { ...after, uncountedS: 0 };
  const until = before.blockedSince ?? at;
  const counted = Math.max(0, Math.max(0, until - was) - (before.uncountedS ?? 0));
  return { ...after, uncountedS: Math.max(0, until - is) - counted };
};

/** The job after a change at that time, with the time accounted for that it was kept, and of what it was before that for which it was not; the same where nothing is to be noted. */
export const accountWait = <Job extends Placed>(changed: Job, at: number, before?: Placed): Job => {
  const after = before === undefined ? changed : keepCounted(before, changed, at);
  const since = after.blockedSince ?? null;
  if (isBlocked(after)) return since === null ? { ...after, blockedSince: at } : after;
  if (since === null) return after;
  const kept = Math.max(0, at - Math.max(since, findOpening(after)));
  return { ...after, blockedSince: null, uncountedS: (after.uncountedS ?? 0) + kept };
};

/** What was held by an admin stays so when its owner holds it, too. */
export const keepHold = ({ heldBy }: JobWaits, asked: JobWaits): JobWaits =>
  heldBy === "admin" && asked.heldBy === "user" ? { ...asked, heldBy } : asked;

/** Why who asks can't release the job; null where they can, or don't ask for it. */
export const refuseRelease = (
  { id, heldBy }: JobWaits & Readonly<{ id: string }>,
  asked: JobWaits,
  { isAdmin }: Asker,
): Refusal | null =>
  heldBy === "admin" && asked.heldBy === null && !isAdmin
    ? createRefusal("FORBIDDEN", `Job ${id} was held by an admin, and only an admin can release it`)
    : null;
