import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../../../shared/result.ts";
import { TOKEN_DIGEST } from "./settings-table.ts";
import { explainFault } from "./sqlite-error.ts";

const BUSY_MS = 5000;

/** Puts the digest in the place of the stored one, also while a server runs on the folder: it is good from its next request on. */
export const replaceTokenDigest = (serverDir: string, digest: string): Result<void, Readonly<{ message: string }>> => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return err({ message: `there is no ${path}: start the server once` });
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.exec(`pragma busy_timeout = ${BUSY_MS}; pragma synchronous = full`);
    db.query("insert or replace into settings values (?, ?)").run(TOKEN_DIGEST, digest);
    return ok(undefined);
  } catch (error) {
    const reason = explainFault(error);
    if (reason === null) throw error;
    return err({ message: reason });
  } finally {
    db.close();
  }
};
