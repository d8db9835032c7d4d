import { readServerFolder } from "./read-folder.ts";

const COUNT = "select coalesce(sum(jobs), 0) as jobs from counters where status in ('starting', 'running')";

/** Also while a server runs on the folder; 0 where there is no database. */
export const countRunningJobs = (serverDir: string): number =>
  readServerFolder(serverDir, (db) => db.query<{ jobs: number }, []>(COUNT).get()?.jobs ?? 0) ?? 0;
