import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import type { Job, JobId } from "../../../core/jobs/job.ts";
import { readVersion, SCHEMA_VERSION } from "../migrate.ts";
import { explainFault } from "../sqlite-error.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "../tables/job-row.ts";
import { TAKEN_OVER, TOKEN_DIGEST } from "../tables/settings-table.ts";

type Changed<Value> = Result<Value, Problem>;

const BUSY_MS = 5000;

const refuseVersion = (db: Database, path: string): string | null =>
  readVersion(db) === SCHEMA_VERSION
    ? null
    : `${path} is of another version of nexus-server: start this one's server once, or use that one's program`;

const changeDatabase = <Value>(
  db: Database,
  path: string,
  change: (db: Database) => Changed<Value>,
): Changed<Value> => {
  db.exec(`pragma busy_timeout = ${BUSY_MS}; pragma synchronous = full`);
  const refusal = refuseVersion(db, path);
  return refusal === null ? change(db) : err({ message: refusal });
};

/** Makes one statement's change in the database of a folder, also while a server runs on it. */
export const changeServerFolder = <Value>(
  serverDir: string,
  change: (db: Database) => Changed<Value>,
): Changed<Value> => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return err({ message: `there is no ${path} that you may see: start the server once` });
  let db: Database | null = null;
  try {
    db = new Database(path, { readwrite: true, create: false });
    return changeDatabase(db, path, change);
  } catch (error) {
    const reason = explainFault(error);
    if (reason === null) throw error;
    return err({ message: reason });
  } finally {
    db?.close();
  }
};

const COUNT = "select coalesce(sum(jobs), 0) as jobs from counters where status in ('starting', 'running')";

/** Also while a server runs on the folder; 0 where there is no database. */
export const countRunningJobs = (serverDir: string): number =>
  readServerFolder(serverDir, (db) => db.query<{ jobs: number }, []>(COUNT).get()?.jobs ?? 0) ?? 0;

/** Whether an earlier Nexus was taken over into the folder. */
export const hasTakenOver = (serverDir: string): boolean =>
  readServerFolder(serverDir, (db) => {
    const isOwn = db.query("select 1 from sqlite_schema where name = 'settings'").get() !== null;
    return isOwn && db.query("select 1 from settings where name = ?").get(TAKEN_OVER) !== null;
  }) ?? false;

/** Also while a server runs on the folder, or none does. */
export const findStoredJob = (serverDir: string, id: JobId): Job | null =>
  readServerFolder(serverDir, (db) => {
    const row = db.query<JobRow, [string]>(`select ${ROW_COLUMNS} from jobs where id = ?`).get(id);
    return row === null ? null : fromRow(row);
  });

const readServerFolder = <Value>(serverDir: string, read: (db: Database) => Value): Value | null => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return null;
  const db = new Database(path, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
};

/** Puts the digest in the place of the stored one, also while a server runs on the folder: it is good from its next request on. */
export const replaceTokenDigest = (serverDir: string, digest: string): Result<void, Problem> =>
  changeServerFolder(serverDir, (db) => {
    db.query("insert or replace into settings values (?, ?)").run(TOKEN_DIGEST, digest);
    return ok(undefined);
  });
