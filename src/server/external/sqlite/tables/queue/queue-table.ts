import type { Database } from "bun:sqlite";
import type { QueuedJob } from "../../../../core/jobs/job.ts";
import type { HostPart } from "../../../../core/queue/booking/host-part.ts";
import type { UserUse } from "../../../../core/queue/user-limits.ts";
import type { Store, Transaction } from "../../../../core/store.ts";
import { createFairCount, createFairReader } from "../fair/fair-queue.ts";
import type { FairTable } from "../fair/fair-table.ts";
import { ACTIVE, BOOKED_GPUS, BOOKED_HOST, QUEUED } from "../job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "../job-row.ts";
import { createHeadReader } from "./head-table.ts";

export type QueueReads = Pick<
  Store,
  "loadQueuedJobs" | "loadDecidingJobs" | "countQueuedBefore" | "readNewestQueued" | "isGpuJobReady" | "readReadiness"
> &
  Pick<Transaction, "countQueued" | "openTurns" | "readUse" | "readHostUse">;

type Count = Readonly<{ jobs: number }>;
type Rank = Readonly<{ id: string; priority: number; createdAt: number }>;

const SELECT = `select ${ROW_COLUMNS} from jobs`;
const NO_LIMIT = -1;

const QUEUES = {
  all: "indexed by jobs_queued where status = 'queued'",
  cpu: "indexed by jobs_queued_cpu where status = 'queued' and num_gpus = 0",
  gpu: "indexed by jobs_queued_gpu where status = 'queued' and num_gpus > 0",
} as const;

const READY_GPU = "indexed by jobs_ready_gpu where status = 'queued' and ready_at = 0 and num_gpus > 0";

const COUNT_BEFORE = `
select
  (select count(*) from jobs ${QUEUES.all} and priority > $priority)
  + (select count(*) from jobs ${QUEUES.all} and priority = $priority and (created_at, id) < ($createdAt, $id)) as jobs`;

const USE = `select count(*) as running, coalesce(sum(${BOOKED_GPUS}), 0) as gpus from jobs indexed by ${ACTIVE.indexes.oneUser}
  where ${ACTIVE.where} and user = ?`;

const HOST_USE = `select coalesce(sum(${BOOKED_HOST.cpus}), 0) as cpus, coalesce(sum(${BOOKED_HOST.memoryMib}), 0) as memoryMib
  from jobs indexed by ${ACTIVE.indexes.all} where ${ACTIVE.where}`;

const DUE = "status = 'queued' and ready_at > 0 and ready_at <= $now";
const BEGUN = "status = 'queued' and ready_at = 0 and begins_at > 0 and begins_at > $now";

type Moment = Readonly<{ now: number }>;

const createReadiness = (db: Database): Pick<QueueReads, "readReadiness" | "openTurns"> => {
  const stale = db.query<{ stale: number }, Moment>(
    `select exists (select 1 from jobs indexed by jobs_timed where ${DUE})
      or exists (select 1 from jobs indexed by jobs_begun where ${BEGUN}) as stale`,
  );
  const next = db.query<{ at: number | null }, Moment>(
    "select min(ready_at) as at from jobs indexed by jobs_timed where status = 'queued' and ready_at > 0 and ready_at > $now",
  );
  const open = db.query(`update jobs indexed by jobs_timed set ready_at = 0 where ${DUE}`);
  const close = db.query(`update jobs indexed by jobs_begun set ready_at = begins_at where ${BEGUN}`);
  return {
    readReadiness: (now) => ({ isStale: stale.get({ now })?.stale === 1, nextAt: next.get({ now })?.at ?? null }),
    openTurns: (now) => open.run({ now }).changes + close.run({ now }).changes,
  };
};

const createQueueReader = (db: Database): QueueReads["loadQueuedJobs"] => {
  const prepare = (queue: keyof typeof QUEUES) =>
    db.query<JobRow, [number]>(`${SELECT} ${QUEUES[queue]} order by ${QUEUED.order} limit ?`);
  const queues = { all: prepare("all"), cpu: prepare("cpu"), gpu: prepare("gpu") };
  return (selection) =>
    queues[selection?.needs ?? "all"].all(selection?.limit ?? NO_LIMIT).map((row) => fromRow(row) as QueuedJob);
};

const createPlaces = (db: Database, fair: FairTable): Pick<QueueReads, "loadQueuedJobs" | "countQueuedBefore"> => {
  const before = db.query<Count, Rank>(COUNT_BEFORE);
  const [load, loadFair, countFair] = [createQueueReader(db), createFairReader(db), createFairCount(db)];
  return {
    loadQueuedJobs: (selection = {}) => {
      const { needs, limit } = selection;
      const parts = needs === undefined && limit !== undefined ? fair.listParts() : null;
      return parts === null ? load(selection) : loadFair(parts, limit ?? 0);
    },
    countQueuedBefore: ({ id, user, priority, createdAt }) => {
      const [place, ranks] = [{ id, priority, createdAt }, fair.rankQueued()];
      return ranks === null ? (before.get(place)?.jobs ?? 0) : countFair(ranks, { ...place, user });
    },
  };
};

export const createQueueReads = (db: Database, fair: FairTable): QueueReads => {
  const newest = db.query<{ createdAt: number | null }, []>(
    `select max(created_at) as createdAt from jobs ${QUEUES.all}`,
  );
  const ofGpus = db.query(`select 1 from jobs ${READY_GPU} limit 1`);
  const all = db.query<Count, []>("select jobs from counters where status = 'queued'");
  const use = db.query<UserUse, [string]>(USE);
  const hostUse = db.query<HostPart, []>(HOST_USE);
  const own = db.query<Count, [string]>("select jobs from queued_by_user where user = ?");
  return {
    countQueued: (user) => (user === null ? all.get() : own.get(user))?.jobs ?? 0,
    readUse: (user) => use.get(user) ?? { gpus: 0, running: 0 },
    readHostUse: () => hostUse.get() ?? { cpus: 0, memoryMib: 0 },
    ...createPlaces(db, fair),
    loadDecidingJobs: createHeadReader(db),
    isGpuJobReady: () => ofGpus.get() !== null,
    ...createReadiness(db),
    readNewestQueued: () => newest.get()?.createdAt ?? 0,
  };
};
