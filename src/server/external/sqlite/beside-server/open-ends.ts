import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { type EndedJob, findKeptSince, type JobId, NO_OUTPUTS, type Outputs } from "../../../core/jobs/job.ts";
import { readVersion, refuseVersion } from "../migrate.ts";
import { explainOpenFailure } from "../open-database.ts";

/** `findEnd` says in Unix seconds when the job ended and what is kept of it, null for one that has not or is not known. */
export type Ends = Readonly<{
  findEnd: (id: JobId) => Readonly<{ endedAt: number; outputs: Outputs }> | null;
  close: () => void;
}>;

const ENDED = "select completed_at, details from jobs where id = ? and status in ('completed', 'failed', 'killed')";

const readEnds = (db: Database): Ends => {
  const ended = db.query<{ completed_at: number; details: string }, [string]>(ENDED);
  const findEnd: Ends["findEnd"] = (id) => {
    const row = ended.get(id);
    if (row === null) return null;
    const rest = JSON.parse(row.details) as Partial<Pick<EndedJob, "outputs">> & Pick<EndedJob, "takenOverAt">;
    const endedAt = findKeptSince({ ...rest, completedAt: row.completed_at });
    return { endedAt, outputs: rest.outputs ?? NO_OUTPUTS };
  };
  return { findEnd, close: () => db.close() };
};

/** Only reads, whether or not a server has the database open. */
export const openEnds = (serverDir: string): Result<Ends, Problem> => {
  const path = join(serverDir, "jobs.db");
  if (!existsSync(path)) return err({ message: `There is no database in ${serverDir}` });
  let db: Database | null = null;
  try {
    db = new Database(path, { readonly: true });
    db.exec("pragma busy_timeout = 10000");
    const refusal = readVersion(db) === 0 ? `${path} was not written by this Nexus` : refuseVersion(db, path);
    if (refusal === null) return ok(readEnds(db));
    db.close();
    return err({ message: refusal });
  } catch (error) {
    db?.close();
    return err({ message: explainOpenFailure(path, error) });
  }
};
