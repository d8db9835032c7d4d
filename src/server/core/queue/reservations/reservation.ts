import type { QueuedJob } from "../../jobs/job.ts";

/** GPUs on which only jobs of its user start, from `from` until `until` (Unix seconds). */
export type Reservation = Readonly<{
  id: string;
  user: string;
  gpuIdxs: readonly number[];
  from: number;
  until: number;
  why: string | null;
}>;

/** `maxReserved`: GPUs that a user may have reserved at once; `marginS`: for so long before one begins none of another starts there without a time limit. */
export type ReserveRules = Readonly<{ maxReserved: number; marginS: number }>;

/** A reservation of a GPU as it is seen at a time. `leadS`: seconds until it begins, not above 0 once it has; `isNear`: too near for a job without a time limit. */
export type Reserve = Readonly<{ reservation: Reservation; leadS: number; isNear: boolean }>;

/** By the index of the GPU, the first to begin first. */
export type Reserves = ReadonlyMap<number, readonly Reserve[]>;

/** A GPU, with what is reserved of it. */
export type Reservable = Readonly<{ reserves?: readonly Reserve[] }>;

type Starter = Partial<Pick<QueuedJob, "user" | "timeLimitS">>;

export const USUAL_RESERVE_RULES: ReserveRules = { maxReserved: 1, marginS: 3600 };

export const NO_RESERVES: Reserves = new Map();

/** Those that are not over, the first to begin first. */
export const listLasting = (reservations: readonly Reservation[], now: number): readonly Reservation[] =>
  reservations
    .filter(({ until }) => until > now)
    .toSorted((a, b) => a.from - b.from || (a.id < b.id ? -1 : Number(a.id > b.id)));

export const seeReserves = (
  reservations: readonly Reservation[],
  { marginS }: Pick<ReserveRules, "marginS">,
  now: number,
): Reserves => {
  const seen = listLasting(reservations, now).map((reservation) => {
    const leadS = reservation.from - now;
    return { reservation, leadS, isNear: leadS <= marginS };
  });
  const indexes = new Set(seen.flatMap(({ reservation }) => reservation.gpuIdxs));
  return new Map(
    [...indexes].map((index) => [index, seen.filter(({ reservation: { gpuIdxs } }) => gpuIdxs.includes(index))]),
  );
};

/** The same GPUs, each with what is reserved of it. */
export const markReserved = <Given extends Readonly<{ index: number }>>(
  gpus: readonly Given[],
  reserves: Reserves,
): readonly (Given & Reservable)[] => gpus.map((gpu) => ({ ...gpu, reserves: reserves.get(gpu.index) ?? [] }));

const reachesInto = ({ leadS, isNear }: Reserve, timeLimitS: number | null): boolean =>
  leadS <= 0 || (timeLimitS === null ? isNear : timeLimitS > leadS);

/** The reservation of another that keeps the job from starting there now; null where none does. */
export const findReserve = ({ user, timeLimitS = null }: Starter, { reserves = [] }: Reservable): Reserve | null =>
  reserves.find((one) => one.reservation.user !== user && reachesInto(one, timeLimitS)) ?? null;

/** Likewise, of all of these GPUs. */
export const findReserveOf = (job: Starter, gpuIdxs: readonly number[], reserves: Reserves): Reserve | null =>
  findReserve(job, { reserves: gpuIdxs.flatMap((index) => reserves.get(index) ?? []) });

/** Whether the GPU is reserved now, for whomever. */
export const isReserved = ({ reserves = [] }: Reservable): boolean => reserves.some(({ leadS }) => leadS <= 0);

/** Whether the GPU is reserved now, for just this user. */
export const isReservedFor = ({ user }: Starter, { reserves = [] }: Reservable): boolean =>
  reserves.some(({ leadS, reservation }) => leadS <= 0 && reservation.user === user);

/** The times at which a reservation changes what may start: its begin and its end, and so long before it that what has no time limit starts no more. */
export const listMoments = (
  reservations: readonly Reservation[],
  { marginS }: Pick<ReserveRules, "marginS">,
): readonly number[] => reservations.flatMap(({ from, until }) => [from - marginS, from, until]);
