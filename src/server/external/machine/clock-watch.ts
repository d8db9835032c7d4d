import { uptime } from "node:os";
import type { Clock } from "../../core/clock.ts";
import { type ClockJump, type ClockLook, judgeClock } from "../../core/machine/clock-jump.ts";

/** Each look tells of the last jump since the first one. A machine that slept did not set its clock. */
export const createClockWatch = (wall: Clock, boot: Clock = uptime): (() => ClockJump | null) => {
  const look = (): ClockLook => ({ wall: wall(), boot: boot() });
  let before = look();
  let told: ClockJump | null = null;
  return () => {
    const now = look();
    told = judgeClock(told, before, now);
    before = now;
    return told;
  };
};
