/** While it lasts nothing starts: until `until` (Unix seconds), or for as long as nobody says otherwise. */
export type Drain = Readonly<{ why: string | null; since: number; until: number | null; by: string }>;

/** Times between which nothing started, in Unix seconds. */
export type Spell = Readonly<{ from: number; to: number }>;

/** `last` may be over by its own end; `past` are those before it, the oldest first. */
export type Drains = Readonly<{ last: Drain | null; past: readonly Spell[] }>;

export type DrainWish = Pick<Drain, "why" | "until" | "by">;

const SPELLS_KEPT = 100;

export const NO_DRAINS: Drains = { last: null, past: [] };

/** The one that lasts now. */
export const findDrain = ({ last }: Drains, now: number): Drain | null =>
  last === null || (last.until !== null && last.until <= now) ? null : last;

const listSpells = ({ last, past }: Drains, now: number): readonly Spell[] => {
  if (last === null) return past;
  const to = Math.min(now, last.until ?? now);
  return to > last.since ? [...past, { from: last.since, to }] : past;
};

export const endDrain = (drains: Drains, now: number): Drains =>
  drains.last === null ? drains : { last: null, past: listSpells(drains, now).slice(-SPELLS_KEPT) };

/** One that lasts already goes on from when it began. */
export const beginDrain = (drains: Drains, { why, until, by }: DrainWish, now: number): Drains => {
  const lasting = findDrain(drains, now);
  const { past } = lasting === null ? endDrain(drains, now) : drains;
  return { last: { why, since: lasting?.since ?? now, until, by }, past };
};

/** The time at which things have been able to start for `seconds` since then, as far as is known at `now`. */
export const countOn = (
  drains: Drains,
  now: number,
  { since, seconds }: { since: number; seconds: number },
): number => {
  let at = since;
  let left = seconds;
  for (const { from, to } of listSpells(drains, now)) {
    if (to <= at) continue;
    if (from - at >= left) break;
    left -= Math.max(0, from - at);
    at = to;
  }
  return at + left;
};

/** The time since when things could start for just `seconds`, those left out in which nothing could. */
export const countBack = (drains: Drains, now: number, seconds: number): number => {
  let at = now;
  let left = seconds;
  for (const { from, to } of listSpells(drains, now).toReversed()) {
    if (to > at) continue;
    if (at - to > left) break;
    left -= at - to;
    at = from;
  }
  return at - left;
};
