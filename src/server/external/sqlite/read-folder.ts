import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Looks into the database of a folder, also while a server runs on it; null where there is none. */
export const readServerFolder = <Value>(serverDir: string, read: (db: Database) => Value): Value | null => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return null;
  const db = new Database(path, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
};
