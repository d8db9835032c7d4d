import type { Database } from "bun:sqlite";
import type { EarlierRun } from "../../../../core/queue/forecast/durations.ts";
import type { Store } from "../../../../core/store.ts";

type Row = EarlierRun & Readonly<{ status: string }>;

const NEWEST_LOOKED_AT = 500;

const RUNS = `select status, command, completed_at - started_at as seconds from jobs indexed by jobs_ended_by_user
  where status in ('completed', 'failed', 'killed') and user = ? order by completed_at desc, seq desc limit ${NEWEST_LOOKED_AT}`;

export const createEarlierRuns = (db: Database): Pick<Store, "listEarlierRuns"> => {
  const runs = db.query<Row, [string]>(RUNS);
  return { listEarlierRuns: (user) => runs.all(user).filter(({ status }) => status === "completed") };
};
