/** What a clock that can be set and one that goes on since the machine was started say, both in seconds. */
export type ClockLook = Readonly<{ wall: number; boot: number }>;

/** `by` is how many seconds the clock was set forward, `to` what it said then. */
export type ClockJump = Readonly<{ by: number; to: ClockLook }>;

const LEAST_S = 60;
const TOLD_S = 86_400;
const MINUTE_S = 60;

/** What is to be told of after this look: a jump since the one before, or the last one, for a day. */
export const judgeClock = (told: ClockJump | null, before: ClockLook, now: ClockLook): ClockJump | null => {
  const by = now.wall - before.wall - (now.boot - before.boot);
  if (Math.abs(by) >= LEAST_S) return { by, to: now };
  return told !== null && now.boot - told.to.boot < TOLD_S ? told : null;
};

export const describeClockJump = ({ by, to }: ClockJump): string => {
  const way = by > 0 ? "forward" : "back";
  const time = new Date(to.wall * 1000).toISOString().slice(0, 16).replace("T", " ");
  const minutes = Math.round(Math.abs(by) / MINUTE_S);
  return `the machine's clock was set ${way} by ${minutes} min, to ${time} UTC: times of jobs, and how long anything is kept, are off by that; see that NTP keeps it (timedatectl)`;
};
