/** Numbers that depend on the seed alone. `integer` is from `min` to `max`, both included. */
export type Random = Readonly<{
  integer: (min: number, max: number) => number;
  pick: <const Value>(values: readonly [Value, ...Value[]]) => Value;
  chance: (share: number) => boolean;
}>;

/** Mulberry32, by Tommy Ettinger: 32 bits of state, public domain. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    integer,
    pick: ([first, ...rest]) => [first, ...rest][integer(0, rest.length)] ?? first,
    chance: (share) => next() < share,
  };
};
