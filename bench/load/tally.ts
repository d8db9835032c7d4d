import { percentile } from "../harness.ts";

/** Counts answers by status and keeps a bounded sample of what each took, in milliseconds. */
export type Tally = Readonly<{
  add: (status: number | "cut", ms: number) => void;
  count: () => number;
  statuses: () => Readonly<Record<string, number>>;
  at: (share: number) => number;
}>;

const KEPT = 100_000;

export const createTally = (): Tally => {
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  let count = 0;
  return {
    add: (status, ms) => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      times[count % KEPT] = ms;
      count += 1;
    },
    count: () => count,
    statuses: () => ({ ...statuses }),
    at: (share) => percentile(times, share),
  };
};
