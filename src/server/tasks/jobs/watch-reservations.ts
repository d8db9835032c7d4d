import type { Alarm } from "../../../tools/alarm.ts";
import { readRules } from "../../changes/read-reserves.ts";
import { listMoments, type Reservation } from "../../core/queue/reservations/reservation.ts";
import type { TaskContext } from "../context.ts";

type WatchContext = Pick<TaskContext, "store" | "clock" | "settings">;

const KEPT_S = 86_400;

const forgetOver = async ({ store }: WatchContext, all: readonly Reservation[], now: number): Promise<void> => {
  const over = all.filter(({ until }) => until + KEPT_S <= now);
  if (over.length === 0) return;
  await store.write((transaction) => {
    for (const { id } of over) transaction.deleteReservation(id);
  });
};

/** Has the queue looked at whenever a reservation begins, ends or comes near, and says when to come back: earlier, too, as the clock may be set. */
export const createReservationWatch = (
  context: WatchContext,
  { gpuQueue }: Readonly<{ gpuQueue: Alarm }>,
): (() => Promise<number>) => {
  const { store, clock, settings } = context;
  let looked = clock();
  return async () => {
    const now = clock();
    const all = store.listReservations();
    const moments = listMoments(all, readRules(context));
    if (moments.some((at) => at > looked !== at > now)) gpuQueue.ring();
    looked = now;
    await forgetOver(context, all, now);
    const next = Math.min(...moments.filter((at) => at > now)) - now;
    return Math.min(settings.refreshRate, Math.max(next, 0.001)) * 1000;
  };
};
