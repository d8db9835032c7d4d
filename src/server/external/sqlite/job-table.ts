import type { Database } from "bun:sqlite";
import type { WireStatus } from "../../../shared/job.ts";
import { type ActiveJob, isEnded, type Job, type JobId, type QueuedJob } from "../../core/job.ts";
import type { Environment, JobCounts, JobFilter, QueueSelection } from "../../core/ports.ts";
import type { SecretBox } from "../secret-box.ts";
import { fromRow, type JobRow, ROW_COLUMNS, toRow } from "./job-row.ts";

type Group = Readonly<{ where: string; order: string; statuses: readonly WireStatus[] }>;

export type JobTable = Readonly<{
  find: (id: JobId) => Job | null;
  list: (filter: JobFilter) => readonly Job[];
  loadQueued: (selection?: QueueSelection) => readonly QueuedJob[];
  loadActive: () => readonly ActiveJob[];
  count: () => JobCounts;
  loadEnvironment: (id: JobId) => Environment;
  insert: (job: QueuedJob, env: Environment) => void;
  save: (job: Job) => void;
  remove: (id: JobId) => void;
}>;

const GROUPS: readonly Group[] = [
  { where: "status in ('starting', 'running')", order: "started_at desc", statuses: ["running"] },
  { where: "status = 'queued'", order: "priority desc, created_at, id", statuses: ["queued"] },
  {
    where: "status in ('completed', 'failed', 'killed')",
    order: "completed_at desc, seq desc",
    statuses: ["completed", "failed", "killed"],
  },
];

const SELECT = `select ${ROW_COLUMNS} from jobs`;

const holdsGpu = (job: Job, index: number): boolean =>
  (job.status === "queued" ? job.requestedGpuIdxs : job.gpuIdxs).includes(index);

const matches = (job: Job, { gpuIndex, matchesCommand }: JobFilter): boolean =>
  (gpuIndex === undefined || holdsGpu(job, gpuIndex)) && (matchesCommand === undefined || matchesCommand(job.command));

const narrow = (group: Group, { statuses }: JobFilter): string | null => {
  const wanted = statuses === undefined ? group.statuses : group.statuses.filter((status) => statuses.includes(status));
  if (wanted.length === 0) return null;
  if (wanted.length === group.statuses.length) return group.where;
  return `${group.where} and status in (${wanted.map((status) => `'${status}'`).join(", ")})`;
};

const planQueries = (filter: JobFilter): readonly string[] =>
  GROUPS.flatMap((group) => {
    const where = narrow(group, filter);
    const user = filter.user === undefined ? "" : " and user = $user";
    return where === null ? [] : [`${SELECT} where ${where}${user} order by ${group.order}`];
  });

const isPlain = (filter: JobFilter): boolean => filter.gpuIndex === undefined && filter.matchesCommand === undefined;

const findMatching = function* (db: Database, filter: JobFilter): Iterable<Job> {
  const user = filter.user === undefined ? {} : { $user: filter.user };
  for (const sql of planQueries(filter)) {
    for (const row of db.query<JobRow, Record<string, string>>(sql).iterate(user)) {
      const job = fromRow(row);
      if (matches(job, filter)) yield job;
    }
  }
};

const takePage = (jobs: Iterable<Job>, { offset, limit }: JobFilter): readonly Job[] =>
  Iterator.from(jobs).drop(offset).take(limit).toArray();

const listPlain = (db: Database, filter: JobFilter): readonly Job[] => {
  const user = filter.user === undefined ? {} : { $user: filter.user };
  const found: JobRow[] = [];
  const last = filter.offset + filter.limit;
  for (const sql of planQueries(filter)) {
    if (found.length === last) break;
    found.push(...db.query<JobRow, Record<string, string>>(`${sql} limit ${last - found.length}`).all(user));
  }
  return found.slice(filter.offset).map(fromRow);
};

const listPage = (db: Database, filter: JobFilter): readonly Job[] =>
  isPlain(filter) ? listPlain(db, filter) : takePage(findMatching(db, filter), filter);

const countJobs = (db: Database): JobCounts => {
  const rows = db.query<{ name: string; value: number }, []>("select name, value from counters").all();
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  const sum = (...names: readonly string[]): number =>
    names.reduce((total, name) => total + (values.get(name) ?? 0), 0);
  return { queued: sum("queued"), running: sum("starting", "running"), ended: sum("completed", "failed", "killed") };
};

const QUEUE_NEEDS = { cpu: " and num_gpus = 0", gpu: " and num_gpus > 0" } as const;
const NO_LIMIT = -1;

const loadQueued = (db: Database, selection?: QueueSelection): readonly QueuedJob[] => {
  const needs = selection === undefined ? "" : QUEUE_NEEDS[selection.needs];
  const sql = `${SELECT} where status = 'queued'${needs} order by priority desc, created_at, id limit ?`;
  return db
    .query<JobRow, [number]>(sql)
    .all(selection?.limit ?? NO_LIMIT)
    .map(fromRow) as readonly QueuedJob[];
};

const createReads = (db: Database, box: SecretBox) => {
  const byId = db.query<JobRow, [string]>(`${SELECT} where id = ?`);
  const active = db.query<JobRow, []>(`${SELECT} where ${GROUPS[0]?.where} order by ${GROUPS[0]?.order}`);
  const env = db.query<{ env: Uint8Array | null }, [string]>("select env from jobs where id = ?");
  return {
    find: (id: JobId) => {
      const row = byId.get(id);
      return row === null ? null : fromRow(row);
    },
    list: (filter: JobFilter) => listPage(db, filter),
    loadQueued: (selection?: QueueSelection) => loadQueued(db, selection),
    loadActive: () => active.all().map(fromRow) as readonly ActiveJob[],
    count: () => countJobs(db),
    loadEnvironment: (id: JobId) => {
      const sealed = env.get(id)?.env;
      return sealed ? (JSON.parse(box.open(sealed)) as Environment) : {};
    },
  };
};

const INSERT = `insert into jobs (${ROW_COLUMNS}, env)
  values ($id, $status, $priority, $created_at, $started_at, $completed_at, $user, $artifact_id, $num_gpus, $spec, $state, $env)`;

const UPDATE = `update jobs set status = $status, priority = $priority, created_at = $created_at,
  started_at = $started_at, completed_at = $completed_at, user = $user, artifact_id = $artifact_id,
  num_gpus = $num_gpus, spec = $spec,
  state = $state, env = iif($ended, null, env) where id = $id`;

const bind = (row: JobRow): Record<string, string | number | null> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [`$${name}`, value]));

export const createJobTable = (db: Database, box: SecretBox): JobTable => {
  const insert = db.query(INSERT);
  const update = db.query(UPDATE);
  const remove = db.query("delete from jobs where id = ?");
  return {
    ...createReads(db, box),
    insert: (job, env) => {
      const sealed = Object.keys(env).length === 0 ? null : box.seal(JSON.stringify(env));
      insert.run({ ...bind(toRow(job)), $env: sealed });
    },
    save: (job) => {
      update.run({ ...bind(toRow(job)), $ended: isEnded(job) ? 1 : 0 });
    },
    remove: (id) => {
      remove.run(id);
    },
  };
};
