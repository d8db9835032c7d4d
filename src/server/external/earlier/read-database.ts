import { Database } from "bun:sqlite";
import { closeSync, copyFileSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { EarlierRow } from "../../core/jobs/earlier/earlier-row.ts";
import { isOfEarlierNexus, listColumns } from "../sqlite/earlier-schema.ts";

export type EarlierArtifact = Readonly<{ id: string; gitSha: string | null }>;

/** `listRows` has the jobs in the order in which they came. `readCode` yields an artifact in parts of up to 64 MiB. */
export type EarlierDatabase = Readonly<{
  listRows: () => readonly EarlierRow[];
  listBlacklisted: () => readonly number[];
  listArtifacts: () => readonly EarlierArtifact[];
  readCode: (id: string) => Generator<Uint8Array>;
  close: () => void;
}>;

const PART_BYTES = 64 * 1024 * 1024;
const SIDE_FILES = ["-journal", "-wal"];
const WRITE_VERSION_AT = 18;
const WITH_LOG = 2;

const isWithLog = (path: string): boolean => {
  const file = openSync(path, "r");
  try {
    const version = Buffer.alloc(1);
    readSync(file, version, 0, 1, WRITE_VERSION_AT);
    return version[0] === WITH_LOG;
  } finally {
    closeSync(file);
  }
};

const listSideFiles = (path: string): readonly string[] =>
  SIDE_FILES.filter((suffix) => existsSync(path + suffix) && statSync(path + suffix).size > 0);

const copyInto = (path: string, scratch: string): string => {
  const copy = join(scratch, "earlier.db");
  for (const suffix of ["", ...listSideFiles(path)]) copyFileSync(path + suffix, copy + suffix);
  return copy;
};

const open = (path: string, scratch: string): Database => {
  const isUnsettled = listSideFiles(path).length > 0 || isWithLog(path);
  return isUnsettled ? new Database(copyInto(path, scratch)) : new Database(path, { readonly: true });
};

const readCode = function* (db: Database, id: string): Generator<Uint8Array> {
  const part = db.query<{ data: Uint8Array }, [number, number, string]>(
    "select substr(cast(data as blob), ?, ?) as data from artifacts where id = ?",
  );
  for (let read = 0; ; read += PART_BYTES) {
    const data = part.get(read + 1, PART_BYTES, id)?.data;
    if (data === undefined || data.length === 0) return;
    yield data;
  }
};

const isWhole = (gpu: unknown): gpu is number => Number.isSafeInteger(gpu) && Number(gpu) >= 0;

const listBlacklisted = (db: Database): readonly number[] => {
  if (!listColumns(db, "blacklisted_gpus").includes("gpu_idx")) return [];
  const rows = db.query<{ gpu_idx: unknown }, []>("select gpu_idx from blacklisted_gpus order by gpu_idx").all();
  return rows.map((row) => row.gpu_idx).filter(isWhole);
};

const listArtifacts = (db: Database): readonly EarlierArtifact[] => {
  const columns = listColumns(db, "artifacts");
  if (!columns.includes("data")) return [];
  const sha = columns.includes("git_sha") ? "git_sha" : "null";
  return db.query<EarlierArtifact, []>(`select id, ${sha} as "gitSha" from artifacts where data is not null`).all();
};

const create = (db: Database): EarlierDatabase => ({
  listRows: () => db.query<EarlierRow, []>("select * from jobs order by rowid").all(),
  listBlacklisted: () => listBlacklisted(db),
  listArtifacts: () => listArtifacts(db),
  readCode: (id) => readCode(db, id),
  close: () => db.close(),
});

/** Changes nothing of the file: one whose last change was cut off is read from a copy in the folder `scratch`. */
export const openEarlierDatabase = (path: string, scratch: string): Result<EarlierDatabase, Problem> => {
  let db: Database | null = null;
  try {
    db = open(path, scratch);
    if (isOfEarlierNexus(db)) return ok(create(db));
    db.close();
    return err({ message: `${path} is no database of the earlier Nexus` });
  } catch (error) {
    db?.close();
    return err({ message: `${path} can't be read: ${describeError(error)}` });
  }
};
