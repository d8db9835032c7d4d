import { Database } from "bun:sqlite";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { Clock, Store, Transaction } from "../../core/ports.ts";
import { loadSecretBox, type SecretBox } from "../secret-box.ts";
import { createArtifactTable, removeIncomplete } from "./artifact-table.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { createJobTable, type JobTable } from "./job-table.ts";
import { migrate } from "./migrations.ts";

export type StoreOptions = Readonly<{ serverDir: string; clock: Clock }>;
export type OpenError = Readonly<{ message: string }>;

const TOKEN = "token_digest";

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const lockFolder = (serverDir: string): Result<Database, OpenError> => {
  const lock = new Database(join(serverDir, "server.lock"), { create: true });
  try {
    lock.exec("pragma busy_timeout = 0; begin exclusive");
    return ok(lock);
  } catch (error) {
    lock.close();
    const reason = describe(error).includes("locked") ? "another server is using it" : describe(error);
    return err({ message: `${serverDir} can't be used: ${reason}` });
  }
};

const openDatabase = (path: string): Result<Database, OpenError> => {
  try {
    const db = new Database(path, { create: true, strict: false });
    chmodSync(path, 0o600);
    db.exec("pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("pragma journal_size_limit = 67108864; pragma cache_size = -8192");
    const migrated = migrate(db, path);
    return migrated.ok ? ok(db) : migrated;
  } catch (error) {
    return err({ message: `${path} can't be read (${describe(error)}): it was left as it is, restore a backup of it` });
  }
};

const createBlacklist = (db: Database) => {
  const all = db.query<{ gpu_idx: number }, []>("select gpu_idx from blacklist");
  const add = db.query("insert or ignore into blacklist values (?)");
  const remove = db.query("delete from blacklist where gpu_idx = ?");
  return {
    list: (): ReadonlySet<number> => new Set(all.all().map((row) => row.gpu_idx)),
    set: (gpuIdx: number, blacklisted: boolean): boolean => (blacklisted ? add : remove).run(gpuIdx).changes > 0,
  };
};

const createSettings = (db: Database, commits: GroupCommit): Pick<Store, "readTokenDigest" | "saveTokenDigest"> => {
  const read = db.query<{ value: string }, [string]>("select value from settings where name = ?");
  const save = db.query("insert or replace into settings values (?, ?)");
  return {
    readTokenDigest: () => read.get(TOKEN)?.value ?? null,
    saveTokenDigest: (digest) => commits.write(() => void save.run(TOKEN, digest)),
  };
};

const createTransaction = (
  db: Database,
  jobs: JobTable,
  blacklist: ReturnType<typeof createBlacklist>,
): Transaction => {
  const artifact = db.query("select 1 from artifacts where id = ? and is_complete = 1");
  return {
    findJob: jobs.find,
    hasArtifact: (id) => artifact.get(id) !== null,
    insertJob: jobs.insert,
    saveJob: jobs.save,
    deleteJob: jobs.remove,
    setBlacklisted: blacklist.set,
  };
};

const createStore = (db: Database, lock: Database, parts: Readonly<{ box: SecretBox; clock: Clock }>): Store => {
  const jobs = createJobTable(db, parts.box);
  const commits = createGroupCommit(db);
  const blacklist = createBlacklist(db);
  const transaction = createTransaction(db, jobs, blacklist);
  const close = async (): Promise<void> => {
    commits.close();
    db.close();
    lock.close();
  };
  return {
    findJob: jobs.find,
    listJobs: jobs.list,
    loadQueuedJobs: jobs.loadQueued,
    loadActiveJobs: jobs.loadActive,
    countJobs: jobs.count,
    loadEnvironment: jobs.loadEnvironment,
    listBlacklist: blacklist.list,
    ...createSettings(db, commits),
    write: (change) => commits.write(() => change(transaction)),
    artifacts: createArtifactTable({ db, commits, clock: parts.clock }),
    close,
  };
};

/** Takes the folder for this process, opens its database and brings it to this program's schema. */
export const openStore = ({ serverDir, clock }: StoreOptions): Result<Store, OpenError> => {
  const lock = lockFolder(serverDir);
  if (!lock.ok) return lock;
  const db = openDatabase(join(serverDir, "jobs.db"));
  const box = db.ok ? loadSecretBox(join(serverDir, "secret.key")) : db;
  if (!db.ok || !box.ok) {
    lock.value.close();
    return db.ok ? (box as Result<never, OpenError>) : db;
  }
  removeIncomplete(db.value);
  return ok(createStore(db.value, lock.value, { box: box.value, clock }));
};
