import type { WireDrain } from "./drain.ts";

/** With a capital letter and no full stop; the time in UTC. */
export const describeDrain = ({ why, until, by }: Omit<WireDrain, "since">): string => {
  const end = until === null ? "" : ` until ${new Date(until * 1000).toISOString()}`;
  return `The server is drained by ${by}${end}${why === null ? "" : `: ${why}`}`;
};
