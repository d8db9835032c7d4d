import { err, ok, type Result } from "../../../../base/result.ts";
import { createLimitReached, createRefusal, type Refusal } from "../../refusal.ts";
import type { Reservation } from "./reservation.ts";
import { describeReservation } from "./reservation-text.ts";

export type ReservationWish = Omit<Reservation, "id">;

/** `lasting` are those that are not over; `maxReserved` is null for who is free of it. */
export type ReserveFacts = Readonly<{ lasting: readonly Reservation[]; maxReserved: number | null }>;

type Span = Pick<Reservation, "from" | "until">;

const MOST = 1000;

const overlaps = (a: Span, b: Span): boolean => a.from < b.until && b.from < a.until;

const findOverlap = (wish: ReservationWish, lasting: readonly Reservation[]): Refusal | null => {
  const other = lasting.find((one) => overlaps(one, wish) && one.gpuIdxs.some((index) => wish.gpuIdxs.includes(index)));
  const shared = wish.gpuIdxs.find((index) => other?.gpuIdxs.includes(index));
  return other === undefined
    ? null
    : createRefusal("GPU_RESERVED", `GPU ${shared} is reserved already: ${describeReservation(other)}`);
};

const countAtOnce = (wish: ReservationWish, lasting: readonly Reservation[]): number => {
  const own = lasting.filter((one) => one.user === wish.user && overlaps(one, wish));
  const countAt = (at: number): number =>
    own.reduce((sum, { from, until, gpuIdxs }) => sum + (from <= at && at < until ? gpuIdxs.length : 0), 0);
  const begins = [wish.from, ...own.map(({ from }) => Math.max(from, wish.from))];
  return wish.gpuIdxs.length + Math.max(...begins.map(countAt));
};

const refuse = (limit: string, { max, asked }: Readonly<{ max: number; asked: number }>, text: string): Refusal =>
  createLimitReached(`${text} (${limit})`, { limit, max, asked });

const findExcess = (wish: ReservationWish, { lasting, maxReserved }: ReserveFacts): Refusal | null => {
  const asked = countAtOnce(wish, lasting);
  if (maxReserved === null || asked <= maxReserved) return null;
  const most = maxReserved === 1 ? "1 GPU" : `${maxReserved} GPUs`;
  return refuse(
    "max_reserved",
    { max: maxReserved, asked },
    `${wish.user} may have ${most} reserved at once, not ${asked}`,
  );
};

/** Whether it may be made beside those that there are. */
export const checkReservation = (wish: ReservationWish, facts: ReserveFacts): Result<void, Refusal> => {
  const { length } = facts.lasting;
  if (length >= MOST)
    return err(refuse("reservations", { max: MOST, asked: length + 1 }, `There may be ${MOST} reservations`));
  const refusal = findOverlap(wish, facts.lasting) ?? findExcess(wish, facts);
  return refusal === null ? ok(undefined) : err(refusal);
};
