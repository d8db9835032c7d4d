import type { Clock } from "../../core/clock.ts";

/**
 * Counts wrong tokens by whom they come from, a user or an address; of IPv6 that is a /64, which is what one machine is given.
 * `note` is true for the one that reaches the limit.
 */
export type GuessLimit = Readonly<{
  secondsLeft: (whom: string) => number;
  note: (whom: string) => boolean;
}>;

type Window = Readonly<{ startedAt: number; guesses: number }>;

export const MAX_GUESSES = 10;
const WINDOW_S = 60;
const MAX_ADDRESSES = 4096;
const NETWORK_GROUPS = 4;
const IPV6_GROUPS = 8;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

const expandIpv6 = (address: string): readonly string[] => {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, IPV6_GROUPS - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill("0"), ...after];
};

const groupByNetwork = (address: string): string => {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  return expandIpv6(address.toLowerCase()).slice(0, NETWORK_GROUPS).join(":");
};

const dropOldest = (windows: Map<string, Window>): void => {
  for (const oldest of windows.keys()) {
    if (windows.size <= MAX_ADDRESSES) return;
    windows.delete(oldest);
  }
};

export const createGuessLimit = (clock: Clock): GuessLimit => {
  const windows = new Map<string, Window>();
  const find = (group: string, now: number): Window | undefined => {
    const window = windows.get(group);
    return window !== undefined && now - window.startedAt < WINDOW_S ? window : undefined;
  };
  return {
    secondsLeft: (whom) => {
      const now = clock();
      const window = find(groupByNetwork(whom), now);
      if (window === undefined || window.guesses < MAX_GUESSES) return 0;
      return Math.ceil(WINDOW_S - (now - window.startedAt));
    },
    note: (whom) => {
      const group = groupByNetwork(whom);
      const now = clock();
      const { startedAt, guesses } = find(group, now) ?? { startedAt: now, guesses: 0 };
      windows.delete(group);
      windows.set(group, { startedAt, guesses: guesses + 1 });
      dropOldest(windows);
      return guesses + 1 === MAX_GUESSES;
    },
  };
};
