import type { Spell } from "./patience/spells.ts";

/** While it lasts nothing starts: until `until` (Unix seconds), or for as long as nobody says otherwise. */
export type Drain = Readonly<{ why: string | null; since: number; until: number | null; by: string }>;

/** `last` may be over by its own end; `past` are those before it, the oldest first. */
export type Drains = Readonly<{ last: Drain | null; past: readonly Spell[] }>;

export type DrainWish = Pick<Drain, "why" | "until" | "by">;

const SPELLS_KEPT = 100;

export const NO_DRAINS: Drains = { last: null, past: [] };

/** The one that lasts now. */
export const findDrain = ({ last }: Drains, now: number): Drain | null =>
  last === null || (last.until !== null && last.until <= now) ? null : last;

/** Those in which nothing could start, as far as is known at `now`. */
export const listDrained = ({ last, past }: Drains, now: number): readonly Spell[] => {
  if (last === null) return past;
  const to = Math.min(now, last.until ?? now);
  return to > last.since ? [...past, { from: last.since, to }] : past;
};

export const endDrain = (drains: Drains, now: number): Drains =>
  drains.last === null ? drains : { last: null, past: listDrained(drains, now).slice(-SPELLS_KEPT) };

/** One that lasts already goes on from when it began. */
export const beginDrain = (drains: Drains, { why, until, by }: DrainWish, now: number): Drains => {
  const lasting = findDrain(drains, now);
  const { past } = lasting === null ? endDrain(drains, now) : drains;
  return { last: { why, since: lasting?.since ?? now, until, by }, past };
};
