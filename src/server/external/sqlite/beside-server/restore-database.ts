import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describeError } from "../../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { createPrivateFile, syncPath } from "../../../../tools/private-file.ts";
import type { Job, StartingJob } from "../../../core/jobs/job.ts";
import { planRestore } from "../../../core/running/restore-plan.ts";
import type { JobCounts } from "../../../core/store.ts";
import { locateWaiting } from "../database-files.ts";
import { lockFolder } from "../lock-folder.ts";
import { readVersion, refuseVersion } from "../migrate.ts";
import { openDatabase } from "../open-database.ts";
import { createSecretBox } from "../secret-box.ts";
import { createJobTable, type JobTable } from "../tables/job-table.ts";
import { findDamage } from "./write-backup.ts";

/** `readLaunches` finds those that the folders of jobs tell of; `stamp` goes into the names of what is kept. */
export type RestoreOptions = Readonly<{
  serverDir: string;
  file: string;
  stamp: string;
  readLaunches: () => readonly StartingJob[];
}>;

/** `madeAt` in Unix seconds, null for a plain copy of a database; `launched` counts jobs that began since. */
export type Restored = Readonly<{
  madeAt: number | null;
  counts: JobCounts;
  launched: number;
  kept: readonly string[];
}>;

type Notes = Readonly<{ madeAt: number | null; key: Uint8Array | null }>;
type Prepared = Notes & Pick<Restored, "counts" | "launched">;

const NO_KEY = new Uint8Array(32);

const findMistake = (part: string, file: string): string | null => {
  const db = new Database(part, { readonly: true });
  try {
    if (readVersion(db) === 0) return `${file} is no backup of this Nexus`;
    const damage = findDamage(db);
    return damage === null ? refuseVersion(db, file) : `${file} is damaged (${damage}): choose another backup`;
  } catch (error) {
    return `${file} is damaged or no backup (${describeError(error)}): choose another one`;
  } finally {
    db.close();
  }
};

const takeNotes = (db: Database): Notes => {
  if (db.query("select 1 from sqlite_schema where name = 'backup'").get() === null) return { madeAt: null, key: null };
  const note = db.query<{ value: Uint8Array | string }, [string]>("select value from backup where name = ?");
  const madeAt = Number(note.get("made_at")?.value ?? Number.NaN);
  const key = note.get("secret_key")?.value;
  db.exec("pragma secure_delete = on; drop table backup");
  return { madeAt: Number.isFinite(madeAt) ? madeAt : null, key: key instanceof Uint8Array ? key : null };
};

const addLaunch = (jobs: JobTable, launch: StartingJob, stored: Job | null): void => {
  if (stored === null) jobs.insert({ ...launch, status: "queued" }, {});
  jobs.save(launch);
};

const addLaunches = (db: Database, launches: readonly StartingJob[]): Pick<Restored, "counts" | "launched"> => {
  const jobs = createJobTable(db, createSecretBox(NO_KEY), () => null);
  const missing = planRestore(jobs.find, launches);
  db.transaction(() => {
    for (const launch of missing) addLaunch(jobs, launch, jobs.find(launch.id));
  })();
  return { counts: jobs.count(), launched: missing.length };
};

const prepare = (part: string, { file, readLaunches }: RestoreOptions): Result<Prepared, Problem> => {
  createPrivateFile(part);
  copyFileSync(file, part);
  const mistake = findMistake(part, file);
  if (mistake !== null) return err({ message: mistake });
  const db = openDatabase(part);
  if (!db.ok) return db;
  try {
    return ok({ ...takeNotes(db.value), ...addLaunches(db.value, readLaunches()) });
  } finally {
    db.value.close();
    syncPath(part);
  }
};

const nameKept = (serverDir: string, stamp: string): string => join(serverDir, `jobs.db.before-restore-${stamp}`);

const keepDatabase = (serverDir: string, stamp: string): readonly string[] => {
  const path = join(serverDir, "jobs.db");
  const kept = nameKept(serverDir, stamp);
  if (existsSync(path)) linkSync(path, kept);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${kept}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return existsSync(kept) ? [kept] : [];
};

const replaceKey = (serverDir: string, key: Uint8Array, stamp: string): readonly string[] => {
  const path = join(serverDir, "secret.key");
  const kept = `${path}.before-restore-${stamp}`;
  const isThere = existsSync(path);
  if (isThere && readFileSync(path).equals(key)) return [];
  if (isThere) linkSync(path, kept);
  const draft = `${path}.restoring`;
  rmSync(draft, { force: true });
  createPrivateFile(draft);
  writeFileSync(draft, key);
  syncPath(draft);
  renameSync(draft, path);
  return isThere ? [kept] : [];
};

const replace = (part: string, { serverDir, stamp }: RestoreOptions, prepared: Prepared): Restored => {
  const waiting = locateWaiting(serverDir);
  renameSync(part, waiting);
  syncPath(serverDir);
  const keptKey = prepared.key === null ? [] : replaceKey(serverDir, prepared.key, stamp);
  const kept = [...keepDatabase(serverDir, stamp), ...keptKey];
  syncPath(serverDir);
  renameSync(waiting, join(serverDir, "jobs.db"));
  syncPath(serverDir);
  const { madeAt, counts, launched } = prepared;
  return { madeAt, counts, launched, kept };
};

const restoreLocked = (options: RestoreOptions): Result<Restored, Problem> => {
  const part = `${locateWaiting(options.serverDir)}.part`;
  try {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(part + suffix, { force: true });
    const prepared = prepare(part, options);
    return prepared.ok ? ok(replace(part, options, prepared.value)) : prepared;
  } catch (error) {
    return err({ message: `${basename(options.file)} could not be restored: ${describeError(error)}` });
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(part + suffix, { force: true });
  }
};

/**
 * Puts a backup in the place of the database, which is kept beside it, and tells it of the launches it can't know. Every
 * step may be the last: either the old database is in place, or the server says that the restore must be run again.
 */
export const restoreDatabase = (options: RestoreOptions): Result<Restored, Problem> => {
  if (!existsSync(options.file)) return err({ message: `There is no file ${options.file}` });
  const kept = nameKept(options.serverDir, options.stamp);
  if (existsSync(kept)) return err({ message: `${kept} is there already: try again in a second` });
  const lock = lockFolder(options.serverDir);
  if (!lock.ok) return lock;
  try {
    return restoreLocked(options);
  } finally {
    lock.value.release();
  }
};
