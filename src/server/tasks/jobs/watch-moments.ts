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

const listTimes = (context: WatchContext, reservations: readonly Reservation[]): readonly number[] => {
  const until = context.store.readDrains().last?.until ?? null;
  return [...listMoments(reservations, readRules(context)), ...(until === null ? [] : [until])];
};

/** Has the queue looked at whenever a reservation begins, ends or comes near, or a drain ends, and says when to come back: earlier, too, as the clock may be set. */
export const createMomentWatch = (
  context: WatchContext,
  { cpuQueue, gpuQueue }: Readonly<{ cpuQueue: Alarm; gpuQueue: Alarm }>,
): (() => Promise<number>) => {
  const { store, clock, settings } = context;
  let looked = clock();
  return async () => {
    const now = clock();
    const reservations = store.listReservations();
    const times = listTimes(context, reservations);
    const isPassed = times.some((at) => at > looked !== at > now);
    if (isPassed) for (const alarm of [cpuQueue, gpuQueue]) alarm.ring();
    looked = now;
    await forgetOver(context, reservations, now);
    const next = Math.min(...times.filter((at) => at > now)) - now;
    return Math.min(settings.refreshRate, Math.max(next, 0.001)) * 1000;
  };
};
