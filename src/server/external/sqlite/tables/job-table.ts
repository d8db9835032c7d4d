import type { Database } from "bun:sqlite";
import {
  type ActiveJob,
  type EndedJob,
  isEnded,
  type Job,
  type JobId,
  type JobStatus,
  type QueuedJob,
} from "../../../core/jobs/job.ts";
import type { Environment, ExpiringJobs, JobCounts, JobFilter } from "../../../core/store.ts";
import type { SecretBox } from "../secret-box.ts";
import { ACTIVE } from "./job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS, toRow } from "./job-row.ts";
import { type Listing, listJobs } from "./list-jobs.ts";
import { createSnapshots, type SteadyReads } from "./steady-reads.ts";
import { rememberVersion } from "./version.ts";

export type JobTable = Readonly<{
  find: (id: JobId) => Job | null;
  list: (filter: JobFilter) => AsyncGenerator<readonly Job[], void>;
  loadActive: () => readonly ActiveJob[];
  findMoving: () => EndedJob | null;
  listExpiring: (user: string, limit: number) => ExpiringJobs;
  findVramPeak: (user: string, command: string) => number | null;
  count: () => JobCounts;
  loadEnvironment: (id: JobId) => Environment;
  canOpenEnvironments: () => boolean;
  insert: (job: QueuedJob, env: Environment) => void;
  save: (job: Job) => void;
  saveEnvironment: (id: JobId, env: Environment) => void;
  remove: (id: JobId) => void;
  snapshots: SteadyReads;
}>;

type Sealed = Readonly<{ env: Uint8Array | null }>;
type Counter = Readonly<{ status: JobStatus; jobs: number }>;

const SELECT = `select ${ROW_COLUMNS} from jobs`;

const INSERT = `insert into jobs (${ROW_COLUMNS}, env) values
  ($id, $status, $priority, $created_at, $started_at, $completed_at, $user, $artifact_id, $num_gpus, $command, $gpu_idxs, $need,
  $ready_at, $begins_at, $waits_since, $details, $env)`;

const UPDATE = `update jobs set status = $status, priority = $priority, created_at = $created_at,
  started_at = $started_at, completed_at = $completed_at, user = $user, artifact_id = $artifact_id, num_gpus = $num_gpus,
  command = $command, gpu_idxs = $gpu_idxs, need = $need, ready_at = $ready_at,
  begins_at = $begins_at, waits_since = $waits_since, details = $details, env = iif($is_ended, null, env) where id = $id`;

const NO_JOBS: JobCounts = { queued: 0, starting: 0, running: 0, completed: 0, failed: 0, killed: 0 };

const countJobs = (counters: readonly Counter[]): JobCounts => ({
  ...NO_JOBS,
  ...Object.fromEntries(counters.map(({ status, jobs }) => [status, jobs])),
});

const MOVING = `indexed by jobs_moving where status in ('completed', 'failed', 'killed')
  and details ->> '$.outputs.state' = 'moving' order by completed_at, seq limit 1`;

const EXPIRING = `indexed by jobs_expiring where status in ('completed', 'failed', 'killed')
  and details ->> '$.outputs.isWarned' = 1 and details ->> '$.outputs.isPulled' = 0 and user = ?`;

const createListExpiring = (db: Database): JobTable["listExpiring"] => {
  const first = db.query<JobRow, [string, number]>(
    `${SELECT} ${EXPIRING} order by details ->> '$.outputs.keptUntil', seq limit ?`,
  );
  const all = db.query<{ jobs: number }, [string]>(`select count(*) as jobs from jobs ${EXPIRING}`);
  return (user, limit) => {
    const jobs = first.all(user, limit).map((row) => fromRow(row) as EndedJob);
    return { jobs, total: jobs.length < limit ? jobs.length : (all.get(user)?.jobs ?? 0) };
  };
};

const NEWEST_LOOKED_AT = 500;

const VRAM_PEAK = `
select details ->> '$.vramPeakMib' as peak from (
  select command, details from jobs indexed by jobs_ended_by_user
  where status in ('completed', 'failed', 'killed') and user = ? order by completed_at desc, seq desc limit ${NEWEST_LOOKED_AT}
) where command = ? and details ->> '$.vramPeakMib' is not null limit 1`;

const createReads = ({ db, snapshots, listParts }: Listing) => {
  const byId = db.query<JobRow, [string]>(`${SELECT} where id = ?`);
  const active = db.query<JobRow, []>(
    `${SELECT} indexed by ${ACTIVE.indexes.all} where ${ACTIVE.where} order by ${ACTIVE.order}`,
  );
  const moving = db.query<JobRow, []>(`${SELECT} ${MOVING}`);
  const peak = db.query<{ peak: number }, [string, string]>(VRAM_PEAK);
  const counters = db.query<Counter, []>("select status, jobs from counters");
  return {
    find: (id: JobId): Job | null => {
      const row = byId.get(id);
      return row === null ? null : fromRow(row);
    },
    list: (filter: JobFilter) => listJobs({ db, snapshots, listParts }, filter),
    loadActive: rememberVersion(db, () => active.all().map((row) => fromRow(row) as ActiveJob)),
    findMoving: () => {
      const row = moving.get();
      return row === null ? null : (fromRow(row) as EndedJob);
    },
    findVramPeak: (user: string, command: string) => peak.get(user, command)?.peak ?? null,
    count: () => countJobs(counters.all()),
  };
};

const canOpen = (box: SecretBox, sealed: Uint8Array): boolean => {
  try {
    box.open(sealed);
    return true;
  } catch {
    return false;
  }
};

const createEnvironments = (db: Database, box: SecretBox) => {
  const byId = db.query<Sealed, [string]>("select env from jobs where id = ?");
  const any = db.query<Sealed, []>("select env from jobs indexed by jobs_sealed where env is not null limit 1");
  return {
    loadEnvironment: (id: JobId): Environment => {
      const sealed = byId.get(id)?.env;
      return sealed ? (JSON.parse(box.open(sealed)) as Environment) : {};
    },
    canOpenEnvironments: () => {
      const sealed = any.get()?.env;
      return !sealed || canOpen(box, sealed);
    },
  };
};

const createWrites = (
  db: Database,
  box: SecretBox,
): Pick<JobTable, "insert" | "save" | "saveEnvironment" | "remove"> => {
  const insert = db.query(INSERT);
  const update = db.query(UPDATE);
  const remove = db.query("delete from jobs where id = ?");
  const reseal = db.query("update jobs set env = ? where id = ?");
  const seal = (env: Environment) => (Object.keys(env).length === 0 ? null : box.seal(JSON.stringify(env)));
  return {
    saveEnvironment: (id, env) => void reseal.run(seal(env), id),
    insert: (job, env) => {
      insert.run({ ...toRow(job), env: seal(env) });
    },
    save: (job) => {
      const { changes } = update.run({ ...toRow(job), is_ended: isEnded(job) });
      if (changes === 0) throw new Error(`Job ${job.id} is not in the database`);
    },
    remove: (id) => void remove.run(id),
  };
};

export const createJobTable = (db: Database, box: SecretBox, listParts: Listing["listParts"]): JobTable => {
  const snapshots = createSnapshots(db.filename);
  return {
    ...createReads({ db, snapshots, listParts }),
    listExpiring: createListExpiring(db),
    ...createEnvironments(db, box),
    ...createWrites(db, box),
    snapshots,
  };
};
