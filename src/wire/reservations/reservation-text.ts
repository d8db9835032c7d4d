import { escapeText } from "../../base/escape-text.ts";
import { tellMoment } from "../../base/moments.ts";
import type { WireGpuReservation } from "./reservation.ts";

/** For people, no full stop: `reserved for ann until …`, and from when, if that is to come. `tell` writes a time. */
export const tellReservation = (
  { user, from, until, why }: WireGpuReservation,
  hasBegun: boolean,
  tell: (seconds: number) => string = tellMoment,
): string => {
  const begin = hasBegun ? "" : ` from ${tell(from)}`;
  return `reserved for ${escapeText(user)}${begin} until ${tell(until)}${why ? `: ${escapeText(why)}` : ""}`;
};

/** `GPU 0`, `GPUs 0, 1`. */
export const nameGpus = (idxs: readonly number[]): string => `${idxs.length === 1 ? "GPU" : "GPUs"} ${idxs.join(", ")}`;
