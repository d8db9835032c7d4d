import { tellMoment } from "../../base/moments.ts";
import type { WireDrain } from "./drain.ts";

/** With a capital letter and no full stop; the time in UTC. */
export const describeDrain = ({ why, until, by }: Omit<WireDrain, "since">): string => {
  const end = until === null ? "" : ` until ${tellMoment(until)}`;
  return `The server is drained by ${by}${end}${why === null ? "" : `: ${why}`}`;
};
