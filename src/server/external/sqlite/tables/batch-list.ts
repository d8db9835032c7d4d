import type { Database } from "bun:sqlite";
import type { JobId, JobStatus } from "../../../core/jobs/job.ts";
import type { BatchCounts, JobCounts, Store, Transaction } from "../../../core/store.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "./job-row.ts";

type Row = Readonly<{ id: string; status: JobStatus; jobs: number; first: number }>;

const OF_BATCHES = "jobs indexed by jobs_by_batch where details ->> '$.batchId' is not null";

const COUNTS = `
select details ->> '$.batchId' as id, status, count(*) as jobs, min(seq) as first from ${OF_BATCHES}
  and ($user is null or user = $user)
group by details ->> '$.batchId', status`;

const NONE: JobCounts = { queued: 0, starting: 0, running: 0, completed: 0, failed: 0, killed: 0 };

/** Batches with how many of their jobs are what, the newest first. */
export const createBatchList = (db: Database): Pick<Store, "listBatches"> => {
  const counts = db.query<Row, { user: string | null }>(COUNTS);
  const bySeq = db.query<JobRow, [number]>(`select ${ROW_COLUMNS} from jobs where seq = ?`);
  const describe = ([id, rows]: readonly [string, readonly Row[]]) => ({
    id,
    seq: Math.min(...rows.map(({ first }) => first)),
    counts: { ...NONE, ...Object.fromEntries(rows.map(({ status, jobs }) => [status, jobs])) },
  });
  const complete = ({ seq, ...batch }: ReturnType<typeof describe>): readonly BatchCounts[] => {
    const row = bySeq.get(seq);
    return row === null ? [] : [{ ...batch, first: fromRow(row) }];
  };
  return {
    listBatches: (user, limit) =>
      [...Map.groupBy(counts.all({ user }), ({ id }) => id)]
        .map(describe)
        .toSorted((a, b) => b.seq - a.seq)
        .slice(0, limit)
        .flatMap(complete),
  };
};

const OF_BATCH = `${OF_BATCHES} and details ->> '$.batchId' = ?`;

export const createBatchReads = (db: Database): Pick<Transaction, "countActiveOf" | "listBatch"> => {
  const active = db.query<{ jobs: number }, [string]>(
    `select count(*) as jobs from ${OF_BATCH} and status in ('starting', 'running')`,
  );
  const all = db.query<{ id: JobId }, [string]>(`select id from ${OF_BATCH}`);
  return {
    countActiveOf: (batchId) => active.get(batchId)?.jobs ?? 0,
    listBatch: (batchId) => all.all(batchId).map(({ id }) => id),
  };
};
