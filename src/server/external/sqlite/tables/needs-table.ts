import type { Database } from "bun:sqlite";
import type { JobId } from "../../../core/jobs/job.ts";
import type { Store, Transaction } from "../../../core/store.ts";

type Needs = Pick<Store, "listNeeds"> &
  Pick<Transaction, "setNeeds" | "listDependents" | "dropNeed" | "hasNeeds" | "leadsTo" | "readStatus">;

type Edge = Readonly<{ jobId: JobId; isAny: number }>;

const LEADS = `
with recursive reached(id) as (
  select value from json_each($from)
  union
  select needs_id from job_needs join reached on job_id = reached.id
)
select 1 from reached where id = $to limit 1`;

const createWrites = (db: Database): Pick<Needs, "setNeeds" | "dropNeed"> => {
  const clear = db.query("delete from job_needs where job_id = ?");
  const add = db.query("insert or ignore into job_needs (needs_id, job_id, is_any) values (?, ?, ?)");
  const drop = db.query("delete from job_needs where needs_id = ? and job_id = ?");
  return {
    setNeeds: (id, needs) => {
      clear.run(id);
      for (const need of needs) add.run(need.id, id, Number(need.isAny));
    },
    dropNeed: (needsId, id) => void drop.run(needsId, id),
  };
};

/** Which jobs wait for which: those alone that have not ended yet. */
export const createNeeds = (db: Database): Needs => {
  const dependents = db.query<Edge, [string]>(
    `select job_id as "jobId", is_any as "isAny" from job_needs where needs_id = ? order by job_id`,
  );
  const needs = db.query<{ id: JobId }, [string, number]>(
    "select needs_id as id from job_needs indexed by job_needs_of where job_id = ? order by needs_id limit ?",
  );
  const leads = db.query<unknown, { from: string; to: string }>(LEADS);
  const status = db.query<{ status: ReturnType<Needs["readStatus"]> }, [string]>(
    "select status from jobs where id = ?",
  );
  return {
    ...createWrites(db),
    listDependents: (id) => dependents.all(id).map(({ jobId, isAny }) => ({ id: jobId, isAny: isAny === 1 })),
    listNeeds: (id, limit) => needs.all(id, limit).map((row) => row.id),
    hasNeeds: (id) => needs.get(id, 1) !== null,
    leadsTo: (from, to) => leads.get({ from: JSON.stringify(from), to }) !== null,
    readStatus: (id) => status.get(id)?.status ?? null,
  };
};
