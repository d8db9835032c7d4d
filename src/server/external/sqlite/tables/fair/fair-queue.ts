import type { Database } from "bun:sqlite";
import type { QueuedJob } from "../../../../core/jobs/job.ts";
import { QUEUED } from "../job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "../job-row.ts";
import type { QueuePart } from "./fair-table.ts";

const ALL = `indexed by ${QUEUED.indexes.all} where ${QUEUED.where}`;

const OF_USER = `indexed by ${QUEUED.indexes.oneUser} where ${QUEUED.where} and user = $user and priority = $priority`;

type Place = Readonly<{ id: string; user: string; priority: number; createdAt: number }>;

type Count = Readonly<{ jobs: number }>;

export const createFairCount = (db: Database): ((ranks: readonly (readonly string[])[], job: Place) => number) => {
  const above = db.query<Count, { priority: number }>(
    `select count(*) as jobs from jobs ${ALL} and priority > $priority`,
  );
  const ofUser = db.query<Count, { user: string; priority: number }>(`select count(*) as jobs from jobs ${OF_USER}`);
  const older = db.query<Count, Place>(
    `select count(*) as jobs from jobs ${OF_USER} and (created_at, id) < ($createdAt, $id)`,
  );
  return (ranks, job) => {
    const { priority } = job;
    const own = ranks.findIndex((users) => users.includes(job.user));
    const before = ranks.slice(0, Math.max(0, own)).flat();
    const same = ranks[own] ?? [job.user];
    return [
      above.get({ priority }),
      ...before.map((user) => ofUser.get({ user, priority })),
      ...same.map((user) => older.get({ ...job, user })),
    ].reduce((sum, count) => sum + (count?.jobs ?? 0), 0);
  };
};

export const createFairReader = (
  db: Database,
): ((parts: Iterable<QueuePart>, limit: number) => readonly QueuedJob[]) => {
  const ofPart = db.query<JobRow, { users: string; priority: number; limit: number }>(
    `select ${ROW_COLUMNS} from jobs ${ALL} and priority = $priority and user in (select value from json_each($users))
    order by ${QUEUED.order} limit $limit`,
  );
  return (parts, limit) => {
    const found: QueuedJob[] = [];
    for (const { users, priority } of parts) {
      if (found.length === limit) break;
      const rows = ofPart.all({ users: JSON.stringify(users), priority, limit: limit - found.length });
      found.push(...rows.map((row) => fromRow(row) as QueuedJob));
    }
    return found;
  };
};
