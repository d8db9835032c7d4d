import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Job, JobId } from "../../core/job.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "./job-row.ts";

/** Also while a server runs on the folder, or none does. */
export const findStoredJob = (serverDir: string, id: JobId): Job | null => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return null;
  const db = new Database(path, { readonly: true });
  try {
    const row = db.query<JobRow, [string]>(`select ${ROW_COLUMNS} from jobs where id = ?`).get(id);
    return row === null ? null : fromRow(row);
  } finally {
    db.close();
  }
};
