import { setImmediate as giveWay } from "node:timers/promises";
import type { JobId } from "../../core/jobs/job.ts";
import type { Backups } from "../../core/upkeep/backups.ts";
import {
  type EndedFolder,
  type FolderRemoval,
  findExpiry,
  type JobFolders,
  type Retention,
  selectOldFolders,
} from "../../core/upkeep/folder-plan.ts";

/** `findEnd` says in Unix seconds when the job ended, null for one that has not or is not known. */
export type Cleaning = Readonly<{
  folders: JobFolders;
  backups: Pick<Backups, "listTimes">;
  retention: Retention;
  findEnd: (id: JobId) => number | null;
}>;

type Ended = Readonly<{ id: JobId; endedAt: number }>;

const SLICE = 20;

const listEnded = ({ findEnd, retention }: Cleaning, ids: readonly JobId[], now: number): readonly Ended[] => {
  const latest = retention.bytes === null ? findExpiry(retention, now) : now;
  return ids.flatMap((id) => {
    const endedAt = findEnd(id);
    return endedAt === null || endedAt >= latest ? [] : [{ id, endedAt }];
  });
};

const measure = async ({ folders }: Cleaning, ended: readonly Ended[]): Promise<readonly EndedFolder[]> => {
  if (ended.length === 0) return [];
  const facts = await folders.measure(ended.map(({ id }) => id));
  return ended.flatMap((job) => {
    const found = facts.get(job.id);
    return found === undefined ? [] : [{ ...job, ...found }];
  });
};

/** Looks at all folders of ended jobs, some at a time, and gives way between them. */
export const planCleaning = async (cleaning: Cleaning, now: number): Promise<readonly FolderRemoval[]> => {
  const ids = await cleaning.folders.list();
  const found: EndedFolder[] = [];
  for (let from = 0; from < ids.length; from += SLICE) {
    found.push(...(await measure(cleaning, listEnded(cleaning, ids.slice(from, from + SLICE), now))));
    await giveWay();
  }
  const times = cleaning.backups.listTimes();
  const oldestBackup = times.length === 0 ? null : Math.min(...times);
  return selectOldFolders(found, { retention: cleaning.retention, now, oldestBackup });
};
