import type { Database } from "bun:sqlite";
import { dirname } from "node:path";
import { VERSION } from "../../../base/version.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { isOfEarlierNexus } from "./earlier-schema.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";

/** What `user_version` says once this program has opened a database. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

const WRITTEN_BY = "written_by";

const hasTables = (db: Database): boolean => db.query("select 1 from sqlite_schema limit 1").get() !== null;

export const readVersion = (db: Database): number =>
  db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;

const readWriter = (db: Database): string => {
  try {
    const writer = db.query<{ value: string }, [string]>("select value from settings where name = ?").get(WRITTEN_BY);
    return writer?.value ?? "a newer version";
  } catch {
    return "a newer version";
  }
};

/** So that an older program can say which version its user needs. */
export const recordWriter = (db: Database): void => {
  if (readWriter(db) !== VERSION) db.query("insert or replace into settings values (?, ?)").run(WRITTEN_BY, VERSION);
};

/** Why this program must not touch the file, or null when it may. */
export const refuseVersion = (db: Database, path: string): string | null => {
  const version = readVersion(db);
  if (isOfEarlierNexus(db))
    return `${path} is of the earlier Nexus: nexus-server import ${dirname(path)} takes over what is in it`;
  if (version === 0 && hasTables(db))
    return `${path} was not written by this Nexus: move it away, it was left as it is`;
  if (version <= SCHEMA_VERSION) return null;
  const versions = `schema version ${version}, this one, ${VERSION}, knows up to ${SCHEMA_VERSION}`;
  return `${path} was written by Nexus ${readWriter(db)} (${versions}): install that version, or a newer one`;
};

/** Brings the file forward one version at a time, each in a transaction of its own. */
export const migrate = (db: Database, onStep?: OnStep, migrations: readonly Migration[] = MIGRATIONS): void => {
  const first = readVersion(db);
  for (const [offset, migration] of migrations.slice(first).entries()) {
    db.transaction(() => {
      if (typeof migration === "string") db.exec(migration);
      else migration(db);
      db.exec(`pragma user_version = ${first + offset + 1}`);
      onStep?.("migration made");
    })();
    onStep?.("migration committed");
  }
};
