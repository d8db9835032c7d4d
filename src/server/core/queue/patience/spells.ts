/** Times between which something was so, in Unix seconds. */
export type Spell = Readonly<{ from: number; to: number }>;

/** The same times, the oldest first and none of them twice. */
export const joinSpells = (spells: readonly Spell[]): readonly Spell[] => {
  const joined: Spell[] = [];
  for (const spell of spells.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    const isApart = last === undefined || spell.from > last.to;
    if (isApart) joined.push(spell);
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, spell.to) };
  }
  return joined;
};

/** The time at which, outside of the spells, just `seconds` have passed since then. */
export const countOn = (
  spells: readonly Spell[],
  { since, seconds }: Readonly<{ since: number; seconds: number }>,
): number => {
  let at = since;
  let left = seconds;
  for (const { from, to } of spells) {
    if (to <= at) continue;
    if (from - at >= left) break;
    left -= Math.max(0, from - at);
    at = to;
  }
  return at + left;
};

/** The time since when just `seconds` have passed outside of the spells. */
export const countBack = (spells: readonly Spell[], now: number, seconds: number): number => {
  let at = now;
  let left = seconds;
  for (const { from, to } of spells.toReversed()) {
    if (to > at) continue;
    if (at - to > left) break;
    left -= at - to;
    at = from;
  }
  return at - left;
};
