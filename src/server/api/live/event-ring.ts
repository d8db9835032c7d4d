import type { StoreChange } from "../../core/store.ts";

export type EventRing = Readonly<{
  push: (changes: readonly StoreChange[]) => void;
  first: () => number;
  last: () => number;
  read: (number: number) => StoreChange | undefined;
}>;

export type RingLimits = Readonly<{ changes: number; characters: number }>;

const USUAL_CHARACTERS = 400;

const weigh = (change: StoreChange): number =>
  USUAL_CHARACTERS + (change.kind === "job" ? change.job.command.length + (change.job.jobrc?.length ?? 0) : 0);

/** Numbers changes from 1 and keeps the newest, within the limits of the moment. */
export const createEventRing = (readLimits: () => RingLimits): EventRing => {
  const kept = new Map<number, StoreChange>();
  let last = 0;
  let characters = 0;
  const dropOldest = (limits: RingLimits): void => {
    for (const [number, change] of kept) {
      if (kept.size <= limits.changes && characters <= limits.characters) return;
      kept.delete(number);
      characters -= weigh(change);
    }
  };
  const push = (changes: readonly StoreChange[]): void => {
    for (const change of changes) {
      last += 1;
      kept.set(last, change);
      characters += weigh(change);
    }
    dropOldest(readLimits());
  };
  return { push, first: () => last - kept.size + 1, last: () => last, read: (number) => kept.get(number) };
};
