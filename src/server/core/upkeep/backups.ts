import type { Problem, Result } from "../../../base/result.ts";

const DAY_S = 86_400;
const KEPT_DAYS = 7;

/** `times` (Unix seconds) are those of the backups there are; one from a clock that was far ahead does not count. */
export const isBackupDue = (times: readonly number[], now: number): boolean =>
  !times.some((time) => Math.abs(now - time) < DAY_S);

/** Those older than 7 days, but never the newest 7, so that a server that was off for long keeps what it has. */
export const selectExpiredBackups = (times: readonly number[], now: number): readonly number[] =>
  times
    .toSorted((left, right) => right - left)
    .slice(KEPT_DAYS)
    .filter((time) => now - time > KEPT_DAYS * DAY_S);

/** `time` in Unix seconds names a backup. `make` takes as long as it takes, beside the server, and answers with its path. */
export type Backups = Readonly<{
  listTimes: () => readonly number[];
  make: (time: number) => Promise<Result<string, Problem>>;
  remove: (time: number) => Promise<void>;
}>;
