import type { JobId, Outputs } from "../jobs/job.ts";

/** Times in Unix seconds. `bytes` with those of `outputs`. `changedAt`: of the folder itself, not before the job's end was known. `isCleared`: at most the record of its launch is left. */
export type EndedFolder = Readonly<{
  id: JobId;
  endedAt: number;
  changedAt: number;
  bytes: number;
  isCleared: boolean;
  outputs: HeldOutputs | null;
}>;

/** What is kept of what the job made: `warnedUntil` is when the owner was told that it goes, null where nobody was told. */
export type HeldOutputs = Readonly<{ bytes: number; isPulled: boolean; warnedUntil: number | null }>;

/** That what a job made goes at `until` at the earliest is to be told. */
export type Warning = Readonly<{ id: JobId; until: number; bytes: number }>;

type Measured = Pick<EndedFolder, "changedAt" | "bytes" | "isCleared">;

/** How long folders of ended jobs are kept, and how much they may take in all; null: as much as there is. */
export type Retention = Readonly<{ days: number; bytes: number | null }>;

/** `keepsRecord`: what tells that the job ran stays, so that a backup from before its end can't make it run again; `keepsOutputs`: and what it made. */
export type FolderRemoval = Readonly<{
  id: JobId;
  endedAt: number;
  bytes: number;
  keepsRecord: boolean;
  keepsOutputs: boolean;
}>;

type Facts = Readonly<{ retention: Retention; now: number; oldestBackup: number | null }>;

/**
 * `measure` tells what the folders take on disk, and whether at most the record of a launch is left (`isCleared`). `clear`
 * with `keepsRecord` leaves that record, with `keepsOutputs` also what the job made, else nothing.
 */
export type JobFolders = Readonly<{
  list: () => Promise<readonly JobId[]>;
  measure: (ids: readonly JobId[]) => Promise<ReadonlyMap<JobId, Measured>>;
  clear: (id: JobId, keepsRecord: boolean, keepsOutputs?: boolean) => Promise<void>;
}>;

const DAY_S = 86_400;
const GRACE_S = 3600;
const OUTPUT_DAYS = 7;
export const BYTES_PER_GB = 1_000_000_000;

export const toRetention = (settings: Readonly<{ retentionDays: number; retentionGb: number | null }>): Retention => ({
  days: settings.retentionDays,
  bytes: settings.retentionGb === null ? null : settings.retentionGb * BYTES_PER_GB,
});

/** Jobs that ended before this moment are old, whatever their folders take. */
export const findExpiry = ({ days }: Retention, now: number): number => now - Math.max(days * DAY_S, GRACE_S);

/** Of jobs that ended before this moment a cleaning may have something to do, whatever their folders take. */
export const findFirstLook = (retention: Retention, now: number): number => findExpiry(retention, now) + DAY_S;

/** Until when at least what a job made is kept, by the time of its end. */
export const findKeptUntil = ({ days }: Retention, endedAt: number): number =>
  endedAt + Math.max(days, OUTPUT_DAYS) * DAY_S;

type Verdict = Readonly<{ folder: EndedFolder; restGoes: boolean; outputsGo: boolean }>;

const judgeByAge = (folder: EndedFolder, retention: Retention, now: number): Verdict => ({
  folder,
  restGoes: folder.endedAt < findExpiry(retention, now),
  outputsGo: findKeptUntil(retention, folder.endedAt) <= now,
});

const sizeOutputs = ({ outputs, bytes }: EndedFolder): number => Math.min(outputs?.bytes ?? 0, bytes);

const measureLeft = ({ folder, restGoes, outputsGo }: Verdict): number =>
  (restGoes ? 0 : folder.bytes - sizeOutputs(folder)) + (outputsGo ? 0 : sizeOutputs(folder));

const judgeExcess = (verdicts: readonly Verdict[], limit: number, now: number): readonly Verdict[] => {
  let left = verdicts.reduce((sum, verdict) => sum + measureLeft(verdict), 0);
  return verdicts.map((verdict) => {
    const { endedAt } = verdict.folder;
    if (left <= limit || endedAt >= now - GRACE_S) return verdict;
    const next = { ...verdict, restGoes: true, outputsGo: verdict.outputsGo || endedAt < now - OUTPUT_DAYS * DAY_S };
    left -= measureLeft(verdict) - measureLeft(next);
    return next;
  });
};

const judge = (
  folders: readonly EndedFolder[],
  { retention, now }: Omit<Facts, "oldestBackup">,
): readonly Verdict[] => {
  const sorted = folders.toSorted((left, right) => left.endedAt - right.endedAt);
  const verdicts = sorted.map((folder) => judgeByAge(folder, retention, now));
  return retention.bytes === null ? verdicts : judgeExcess(verdicts, retention.bytes, now);
};

const mayGo = ({ outputs }: EndedFolder, now: number): boolean =>
  outputs === null || outputs.isPulled || (outputs.warnedUntil !== null && outputs.warnedUntil <= now);

const planRemoval = (
  { folder, restGoes, outputsGo }: Verdict,
  { now, oldestBackup }: Omit<Facts, "retention">,
): readonly FolderRemoval[] => {
  const { isCleared, changedAt, outputs, ...rest } = folder;
  const keepsOutputs = outputs !== null && !(outputsGo && mayGo(folder, now));
  const keepsRecord = keepsOutputs || (oldestBackup !== null && Math.max(folder.endedAt, changedAt) >= oldestBackup);
  const isDone = isCleared && keepsRecord && (outputs === null || keepsOutputs);
  if (!restGoes || isDone) return [];
  const bytes = keepsOutputs ? folder.bytes - sizeOutputs(folder) : folder.bytes;
  return [{ ...rest, bytes, keepsRecord, keepsOutputs }];
};

/**
 * The folders that go, of the job that ended first first: those that are too old, then those that are too much. One that
 * ended within the last hour stays: its messages may still need its log. What a job made stays for 7 days, and until a day after its owner
 * was told, but where that was fetched.
 */
export const selectOldFolders = (folders: readonly EndedFolder[], facts: Facts): readonly FolderRemoval[] =>
  judge(folders, facts).flatMap((verdict) => planRemoval(verdict, facts));

const isNear = ({ folder, outputsGo }: Verdict, { retention, now }: Omit<Facts, "oldestBackup">): boolean =>
  outputsGo || findKeptUntil(retention, folder.endedAt) < now + DAY_S;

/** Whose owners are to be told that what their jobs made goes: those that nobody has fetched, a day before at the latest. */
export const selectWarnings = (
  folders: readonly EndedFolder[],
  facts: Omit<Facts, "oldestBackup">,
): readonly Warning[] =>
  judge(folders, facts).flatMap((verdict) => {
    const { id, endedAt, outputs } = verdict.folder;
    if (outputs === null || outputs.isPulled || outputs.warnedUntil !== null || !isNear(verdict, facts)) return [];
    const keptUntil = verdict.outputsGo ? facts.now : findKeptUntil(facts.retention, endedAt);
    return [{ id, until: Math.max(keptUntil, facts.now + DAY_S), bytes: outputs.bytes }];
  });

/** Those whose owners were told, and for whom the time that was told has not come. */
export const selectWarned = (folders: readonly EndedFolder[], facts: Omit<Facts, "oldestBackup">): readonly Warning[] =>
  judge(folders, facts).flatMap((verdict) => {
    const { id, outputs } = verdict.folder;
    if (outputs === null || outputs.isPulled || !isNear(verdict, facts)) return [];
    const { warnedUntil: until, bytes } = outputs;
    return until === null || until <= facts.now ? [] : [{ id, until, bytes }];
  });

/** Those whose owners were told, and which are kept for longer since: until then at least. */
export const selectSpared = (folders: readonly EndedFolder[], facts: Omit<Facts, "oldestBackup">): readonly Warning[] =>
  judge(folders, facts).flatMap((verdict) => {
    const { id, endedAt, outputs } = verdict.folder;
    if (outputs === null || outputs.warnedUntil === null || isNear(verdict, facts)) return [];
    return [{ id, until: findKeptUntil(facts.retention, endedAt), bytes: outputs.bytes }];
  });

/** What of a job's outputs a cleaning has to know. */
export const holdOutputs = ({ state, bytes, isPulled, isWarned, keptUntil }: Outputs): HeldOutputs | null =>
  state === "kept" || state === "failed" ? { bytes, isPulled, warnedUntil: isWarned ? keptUntil : null } : null;
