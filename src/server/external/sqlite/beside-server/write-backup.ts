import { Database } from "bun:sqlite";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError } from "../../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { createPrivateFile, syncPath } from "../../../../tools/private-file.ts";
import { readVersion, refuseVersion } from "../migrate.ts";
import { explainOpenFailure } from "../open-database.ts";
import { copyDatabase } from "./copy-database.ts";

/** `madeAt` in Unix seconds. */
export type BackupOptions = Readonly<{ serverDir: string; path: string; madeAt: number }>;

type Written = Result<void, Problem>;

const NOTES = "create table backup (name text primary key, value blob not null) without rowid";

/** The first thing that is wrong with the file's pages, or null. */
export const findDamage = (db: Database): string | null => {
  const found = db.query<{ integrity_check: string }, []>("pragma integrity_check(1)").get()?.integrity_check;
  return found === "ok" ? null : (found?.split("\n").at(-1) ?? "it could not be checked");
};

const refuseSource = (source: string): string | null => {
  const db = new Database(source, { readonly: true });
  try {
    db.exec("pragma busy_timeout = 10000");
    if (readVersion(db) === 0) return `${source} was not written by this Nexus: nothing was backed up`;
    return refuseVersion(db, source);
  } finally {
    db.close();
  }
};

const tryCopy = (source: string, part: string): string | null => {
  const refusal = refuseSource(source);
  if (refusal === null) copyDatabase(source, part);
  return refusal;
};

const completeCopy = (part: string, { serverDir, madeAt }: BackupOptions): string | null => {
  const keyPath = join(serverDir, "secret.key");
  const db = new Database(part, { readwrite: true, create: false, strict: true });
  try {
    db.exec(NOTES);
    const note = db.query("insert into backup values (?, ?)");
    note.run("made_at", String(madeAt));
    if (existsSync(keyPath)) note.run("secret_key", readFileSync(keyPath));
    const damage = findDamage(db);
    return damage === null ? null : `${join(serverDir, "jobs.db")} is damaged (${damage}): nothing was backed up`;
  } finally {
    db.close();
  }
};

const publish = (part: string, path: string): void => {
  syncPath(part);
  renameSync(part, path);
  syncPath(dirname(path));
};

const writePart = (part: string, options: BackupOptions): Written => {
  const source = join(options.serverDir, "jobs.db");
  createPrivateFile(part);
  const mistake = tryCopy(source, part) ?? completeCopy(part, options);
  if (mistake !== null) return err({ message: mistake });
  publish(part, options.path);
  return ok(undefined);
};

const refuse = ({ serverDir, path }: BackupOptions): string | null => {
  if (!existsSync(join(serverDir, "jobs.db"))) return `There is no database in ${serverDir}`;
  if (existsSync(path)) return `${path} is there already: choose another name`;
  return existsSync(dirname(path)) ? null : `There is no folder ${dirname(path)}`;
};

const explain = (error: unknown, { serverDir, path }: BackupOptions): string =>
  error instanceof Error && error.name === "SQLiteError"
    ? explainOpenFailure(join(serverDir, "jobs.db"), error)
    : `${path} can't be written: ${describeError(error)}`;

/**
 * A copy of the database as it is at one moment, whether or not a server has it open, with the key of its environments, and
 * of the artifacts those that a waiting or running job needs: one file, mode 0600, checked, which appears whole or not at all.
 */
export const writeBackup = (options: BackupOptions): Written => {
  const refusal = refuse(options);
  if (refusal !== null) return err({ message: refusal });
  const part = `${options.path}.${process.pid}.part`;
  try {
    return writePart(part, options);
  } catch (error) {
    return err({ message: explain(error, options) });
  } finally {
    rmSync(part, { force: true });
    rmSync(`${part}-journal`, { force: true });
  }
};
