import { Database } from "bun:sqlite";
import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { describeError } from "../../../base/describe-error.ts";
import { readErrorCode } from "../../../base/error-code.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { migrate, readVersion, recordWriter, refuseVersion } from "./migrate.ts";
import { explainFault } from "./sqlite-error.ts";

const PRIVATE = 0o600;
const SETTINGS = `
pragma journal_mode = wal;
pragma synchronous = full;
pragma journal_size_limit = 67108864;
pragma cache_size = -8192;
`;

const createPrivate = (path: string): void => {
  if (existsSync(path)) chmodSync(path, PRIVATE);
  else closeSync(openSync(path, "wx", PRIVATE));
};

const prepareDatabase = (db: Database, path: string, onStep: OnStep | undefined): Result<Database, Problem> => {
  db.exec("pragma busy_timeout = 2000");
  const refusal = refuseVersion(db, path);
  if (refusal !== null) return err({ message: refusal });
  if (readVersion(db) === 0) db.exec("pragma auto_vacuum = incremental");
  db.exec(SETTINGS);
  migrate(db, onStep);
  recordWriter(db);
  return ok(db);
};

/** One line for a database that can't be opened; one that is damaged stays as it is. */
export const explainOpenFailure = (path: string, error: unknown): string =>
  /^SQLITE_(CORRUPT|NOTADB)/.test(readErrorCode(error))
    ? `${path} is damaged or not a database (${describeError(error)}): it was left as it is; nexus-server restore puts the last backup in its place`
    : `${path} can't be opened: ${explainFault(error) ?? describeError(error)}`;

/** Opens the file, made with mode 0600 when there is none, and brings it to this program's schema. */
export const openDatabase = (path: string, onStep?: OnStep): Result<Database, Problem> => {
  let db: Database | null = null;
  try {
    createPrivate(path);
    db = new Database(path, { readwrite: true, create: true, strict: true });
    const prepared = prepareDatabase(db, path, onStep);
    if (!prepared.ok) db.close();
    return prepared;
  } catch (error) {
    db?.close();
    return err({ message: explainOpenFailure(path, error) });
  }
};
