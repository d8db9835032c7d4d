import type { Job, JobId } from "../../core/job.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "./job-row.ts";
import { readServerFolder } from "./read-folder.ts";

/** Also while a server runs on the folder, or none does. */
export const findStoredJob = (serverDir: string, id: JobId): Job | null =>
  readServerFolder(serverDir, (db) => {
    const row = db.query<JobRow, [string]>(`select ${ROW_COLUMNS} from jobs where id = ?`).get(id);
    return row === null ? null : fromRow(row);
  });
