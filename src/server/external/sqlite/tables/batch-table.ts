import type { Database } from "bun:sqlite";
import type { Batch } from "../../../core/notices/news.ts";
import type { OutboxChanges, OutboxReads } from "../../../core/notices/outbox.ts";

type Row = Readonly<Omit<Batch, "failedIds"> & { failed_ids: string }>;
type End = Parameters<OutboxChanges["countInBatch"]>[2];

const MOST_IDS = 10;

const COUNTS: Readonly<Record<End, string>> = {
  completed: "completed = completed + 1",
  failed: `failed = failed + 1, failed_ids = iif(failed < ${MOST_IDS}, trim(failed_ids || ' ' || $job_id), failed_ids)`,
  killed: "killed = killed + 1",
  removed: "removed = removed + 1",
};

const createFind = (db: Database): OutboxReads["findBatch"] => {
  const find = db.query<Row, [string]>("select * from batches where id = ?");
  return (id) => {
    const row = find.get(id);
    if (row === null) return null;
    const { failed_ids: ids, ...counts } = row;
    return { ...counts, failedIds: ids === "" ? [] : ids.split(" ") };
  };
};

/** Batches of jobs: how many there are and how many have ended in which way. */
export const createBatchTable = (
  db: Database,
): Pick<OutboxReads, "findBatch"> & Pick<OutboxChanges, "openBatch" | "countInBatch"> => {
  const findBatch = createFind(db);
  const open = db.query("insert into batches (id, total) values (?, ?)");
  const count = (end: End) => db.query(`update batches set ${COUNTS[end]} where id = $id`);
  const counts = {
    completed: count("completed"),
    failed: count("failed"),
    killed: count("killed"),
    removed: count("removed"),
  };
  return {
    findBatch,
    openBatch: (id, total) => void open.run(id, total),
    countInBatch: (id, jobId, end) => {
      counts[end].run(end === "failed" ? { id, job_id: jobId } : { id });
      return findBatch(id);
    },
  };
};
