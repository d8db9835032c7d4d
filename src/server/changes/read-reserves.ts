import type { ActiveJob } from "../core/jobs/job.ts";
import type { Gpu } from "../core/queue/gpu.ts";
import { describeGpus, type GpuState } from "../core/queue/gpu-selection.ts";
import {
  markReserved,
  type ReserveRules,
  type Reserves,
  seeReserves,
  USUAL_RESERVE_RULES,
} from "../core/queue/reservations/reservation.ts";
import type { Store } from "../core/store.ts";

type Context = Readonly<{
  store: Pick<Store, "listReservations" | "listBlacklist">;
  settings: Readonly<{ reserveRules?: ReserveRules }>;
}>;

export const readRules = ({ settings: { reserveRules } }: Pick<Context, "settings">): ReserveRules =>
  reserveRules ?? USUAL_RESERVE_RULES;

/** What is reserved at that time, in Unix seconds. */
export const readReserves = (context: Context, now: number): Reserves =>
  seeReserves(context.store.listReservations(), readRules(context), now);

type Machine = Readonly<{ gpus: readonly Gpu[]; active: readonly ActiveJob[]; now: number }>;

/** The GPUs with all that keeps jobs from them. */
export const seeGpus = (context: Context, { gpus, active, now }: Machine): readonly GpuState[] =>
  markReserved(describeGpus(gpus, active, context.store.listBlacklist()), readReserves(context, now));
