import { err, ok, type Result } from "../../base/result.ts";
import { checkReservation, type ReservationWish } from "../core/queue/reservations/check-reservation.ts";
import { listLasting, type Reservation, type ReserveRules } from "../core/queue/reservations/reservation.ts";
import { createRefusal, createUnavailable, type Refusal } from "../core/refusal.ts";
import type { Store, Transaction } from "../core/store.ts";
import type { Caller, Wakes } from "./context.ts";
import { readRules } from "./read-reserves.ts";

type ReserveContext = Readonly<{
  store: Pick<Store, "write">;
  clock: () => number;
  wakes: Wakes;
  newJobId: () => string;
  settings: Readonly<{ reserveRules?: ReserveRules }>;
}>;

const MAX_ID_LENGTH = 64;

type Changed = Promise<Result<Reservation, Refusal>>;

const drawId = (taken: readonly Reservation[], newId: () => string): string => {
  let id = newId();
  while (taken.some((one) => one.id === id)) id = newId();
  return id;
};

const writeChange = async (
  { store, wakes }: ReserveContext,
  { log, name }: Caller,
  what: "made" | "ended",
  change: (transaction: Transaction) => Result<Reservation, Refusal>,
): Changed => {
  const written = await store.write(change);
  if (!written.ok) return err(createUnavailable(written.error));
  if (!written.value.ok) return written.value;
  log.info("reservation changed", { ...written.value.value, what, reason: `asked for by ${name}` });
  wakes.queues();
  return written.value;
};

export const reserveGpus = (context: ReserveContext, wish: ReservationWish, caller: Caller): Changed =>
  writeChange(context, caller, "made", (transaction) => {
    const all = transaction.listReservations();
    const maxReserved = caller.isAdmin ? null : readRules(context).maxReserved;
    const allowed = checkReservation(wish, { lasting: listLasting(all, context.clock()), maxReserved });
    if (!allowed.ok) return allowed;
    const reservation = { ...wish, id: drawId(all, context.newJobId) };
    transaction.insertReservation(reservation);
    return ok(reservation);
  });

/** `permit` says whether who asks may end it. */
export const endReservation = (
  context: ReserveContext,
  id: string,
  { permit, ...caller }: Caller & Readonly<{ permit: (reservation: Reservation) => Result<unknown, Refusal> }>,
): Changed =>
  writeChange(context, caller, "ended", (transaction) => {
    const found = listLasting(transaction.listReservations(), context.clock()).find((one) => one.id === id);
    if (found === undefined)
      return err(createRefusal("RESERVATION_NOT_FOUND", `There is no reservation ${id.slice(0, MAX_ID_LENGTH)}`));
    const permitted = permit(found);
    if (!permitted.ok) return permitted;
    transaction.deleteReservation(id);
    return ok(found);
  });
