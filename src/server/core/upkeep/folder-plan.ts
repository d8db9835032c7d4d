import type { JobId } from "../jobs/job.ts";

/** Times in Unix seconds. `changedAt`: of the folder itself, not before the job's end was known. `isCleared`: at most the record of its launch is left. */
export type EndedFolder = Readonly<{
  id: JobId;
  endedAt: number;
  changedAt: number;
  bytes: number;
  isCleared: boolean;
}>;

type Measured = Omit<EndedFolder, "id" | "endedAt">;

/** How long folders of ended jobs are kept, and how much they may take in all; null: as much as there is. */
export type Retention = Readonly<{ days: number; bytes: number | null }>;

/** `keepsRecord`: what tells that the job ran stays, so that a backup from before its end can't make it run again. */
export type FolderRemoval = Readonly<{ id: JobId; endedAt: number; bytes: number; keepsRecord: boolean }>;

type Facts = Readonly<{ retention: Retention; now: number; oldestBackup: number | null }>;

/**
 * `measure` tells what the folders take on disk, and whether at most the record of a launch is left (`isCleared`). `clear`
 * with `keepsRecord` leaves that record, else nothing.
 */
export type JobFolders = Readonly<{
  list: () => Promise<readonly JobId[]>;
  measure: (ids: readonly JobId[]) => Promise<ReadonlyMap<JobId, Measured>>;
  clear: (id: JobId, keepsRecord: boolean) => Promise<void>;
}>;

const DAY_S = 86_400;
const GRACE_S = 3600;
const OUTPUT_DAYS = 7;
const BYTES_PER_GB = 1_000_000_000;

export const toRetention = (settings: Readonly<{ retentionDays: number; retentionGb: number | null }>): Retention => ({
  days: settings.retentionDays,
  bytes: settings.retentionGb === null ? null : settings.retentionGb * BYTES_PER_GB,
});

/** Jobs that ended before this moment are old, whatever their folders take. */
export const findExpiry = ({ days }: Retention, now: number): number => now - Math.max(days * DAY_S, GRACE_S);

/** Until when at least what a job made is kept, by the time of its end. */
export const findKeptUntil = ({ days }: Retention, endedAt: number): number =>
  endedAt + Math.max(days, OUTPUT_DAYS) * DAY_S;

const selectExcess = (folders: readonly EndedFolder[], limit: number, now: number): readonly EndedFolder[] => {
  let left = folders.reduce((sum, { bytes }) => sum + bytes, 0);
  return folders.filter(({ bytes, endedAt }) => {
    const isSelected = left > limit && endedAt < now - GRACE_S;
    if (isSelected) left -= bytes;
    return isSelected;
  });
};

/**
 * The folders that go, of the job that ended first first: those that are too old, then those that are too much. One that
 * ended within the last hour stays: its messages may still need its log.
 */
export const selectOldFolders = (
  folders: readonly EndedFolder[],
  { retention, now, oldestBackup }: Facts,
): readonly FolderRemoval[] => {
  const sorted = folders.toSorted((left, right) => left.endedAt - right.endedAt);
  const expiry = findExpiry(retention, now);
  const [expired, younger] = [
    sorted.filter((one) => one.endedAt < expiry),
    sorted.filter((one) => one.endedAt >= expiry),
  ];
  const excess = retention.bytes === null ? [] : selectExcess(younger, retention.bytes, now);
  return [...expired, ...excess].flatMap(({ isCleared, changedAt, ...folder }) => {
    const keepsRecord = oldestBackup !== null && Math.max(folder.endedAt, changedAt) >= oldestBackup;
    return isCleared && keepsRecord ? [] : [{ ...folder, keepsRecord }];
  });
};
