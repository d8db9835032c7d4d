import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, type Result } from "../../../shared/result.ts";
import { readVersion, SCHEMA_VERSION } from "./migrations.ts";
import { explainFault } from "./sqlite-error.ts";

type Changed<Value> = Result<Value, Readonly<{ message: string }>>;

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
