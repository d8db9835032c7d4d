import type { WireGpuReservation, WireReservation } from "../../../../wire/reservations/reservation.ts";
import type { ActiveJob } from "../../jobs/job.ts";
import type { Reservation } from "./reservation.ts";

export const toGpuReservation = ({ id, gpuIdxs, from, until, why, user }: Reservation): WireGpuReservation => ({
  ...{ id, gpu_idxs: [...gpuIdxs], from, until, why, user },
});

const listJobs = ({ gpuIdxs }: Reservation, active: readonly ActiveJob[]): WireReservation["jobs"] =>
  active
    .map(({ id, user, gpuIdxs: own }) => ({ id, user, gpu_idxs: own.filter((index) => gpuIdxs.includes(index)) }))
    .filter(({ gpu_idxs }) => gpu_idxs.length > 0);

/** `active` are the jobs of which those are named that run there. */
export const toWireReservation = (reservation: Reservation, active: readonly ActiveJob[]): WireReservation => ({
  ...toGpuReservation(reservation),
  jobs: listJobs(reservation, active),
});
