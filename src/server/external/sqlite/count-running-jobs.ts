import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Also while a server runs on the folder; 0 where there is no database. */
export const countRunningJobs = (serverDir: string): number => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return 0;
  const db = new Database(path, { readonly: true });
  try {
    const sql = "select coalesce(sum(jobs), 0) as jobs from counters where status in ('starting', 'running')";
    return db.query<{ jobs: number }, []>(sql).get()?.jobs ?? 0;
  } finally {
    db.close();
  }
};
