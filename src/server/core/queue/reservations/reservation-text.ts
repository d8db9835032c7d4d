import { tellMoment } from "../../../../base/moments.ts";
import type { Reservation, Reserve } from "./reservation.ts";

const tellWhy = ({ why }: Reservation): string => (why === null ? "" : `: ${why}`);

/** For people, no full stop; times in UTC. */
export const describeReservation = (reservation: Reservation): string => {
  const { id, user, from, until } = reservation;
  return `reservation ${id} of ${user} from ${tellMoment(from)} until ${tellMoment(until)}${tellWhy(reservation)}`;
};

/** What is said of the GPU: `is reserved for ann until …`. */
export const describeReserve = ({ reservation, leadS }: Reserve): string => {
  const { user, from, until } = reservation;
  const begin = leadS <= 0 ? "" : ` from ${tellMoment(from)}`;
  return `is reserved for ${user}${begin} until ${tellMoment(until)}${tellWhy(reservation)}`;
};
