import { setImmediate as giveWay } from "node:timers/promises";
import type { JobId, Outputs } from "../../core/jobs/job.ts";
import type { Backups } from "../../core/upkeep/backups.ts";
import {
  type EndedFolder,
  type FolderRemoval,
  findFirstLook,
  holdOutputs,
  type JobFolders,
  type Retention,
  selectOldFolders,
  selectSpared,
  selectWarned,
  selectWarnings,
  type Warning,
} from "../../core/upkeep/folder-plan.ts";

/** When a job ended, in Unix seconds, and what is kept of what it made. */
export type JobEnd = Readonly<{ endedAt: number; outputs: Outputs }>;

/** `findEnd` is null for a job that has not ended or is not known. */
export type Cleaning = Readonly<{
  folders: JobFolders;
  backups: Pick<Backups, "listTimes">;
  retention: Retention;
  findEnd: (id: JobId) => JobEnd | null;
}>;

/** What goes, of which jobs the owners are to be told first, of which they were told and the time has not come, and of which that holds no longer. */
export type CleaningPlan = Readonly<{
  removals: readonly FolderRemoval[];
  warnings: readonly Warning[];
  warned: readonly Warning[];
  spared: readonly Warning[];
}>;

type Ended = Pick<EndedFolder, "id" | "endedAt" | "outputs">;

const SLICE = 20;

const listEnded = ({ findEnd, retention }: Cleaning, ids: readonly JobId[], now: number): readonly Ended[] => {
  const latest = retention.bytes === null ? findFirstLook(retention, now) : now;
  return ids.flatMap((id) => {
    const end = findEnd(id);
    if (end === null || end.outputs.state === "moving") return [];
    if (end.endedAt >= latest && !end.outputs.isWarned) return [];
    return [{ id, endedAt: end.endedAt, outputs: holdOutputs(end.outputs) }];
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
export const planCleaning = async (cleaning: Cleaning, now: number): Promise<CleaningPlan> => {
  const ids = await cleaning.folders.list();
  const found: EndedFolder[] = [];
  for (let from = 0; from < ids.length; from += SLICE) {
    found.push(...(await measure(cleaning, listEnded(cleaning, ids.slice(from, from + SLICE), now))));
    await giveWay();
  }
  const times = cleaning.backups.listTimes();
  const oldestBackup = times.length === 0 ? null : Math.min(...times);
  const facts = { retention: cleaning.retention, now };
  return {
    removals: selectOldFolders(found, { ...facts, oldestBackup }),
    warnings: selectWarnings(found, facts),
    warned: selectWarned(found, facts),
    spared: selectSpared(found, facts),
  };
};
