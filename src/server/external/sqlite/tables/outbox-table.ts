import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import type { JobId } from "../../../core/jobs/job.ts";
import type {
  Backlog,
  DeliveryOutcome,
  MessageState,
  NoticeEvent,
  OutboxChanges,
  OutboxMessage,
  OutboxReads,
} from "../../../core/notices/outbox.ts";
import type { SecretBox } from "../secret-box.ts";
import { createBatchTable } from "./batch-table.ts";

type Row = Readonly<{
  id: number;
  job_id: string;
  channel: string;
  event: string;
  destination: string;
  state: string;
  attempts: number;
  is_uncertain: number;
  created_at: number;
  due_at: number;
  finished_at: number | null;
  error: string | null;
  reference: string | null;
}>;

const COLUMNS =
  "id, job_id, channel, event, destination, state, attempts, is_uncertain, created_at, due_at, finished_at, error, reference";

const HEADS = `
with recursive destinations(name) as (
  select min(destination) from outbox where state = 'pending'
  union all
  select (select min(destination) from outbox where state = 'pending' and destination > name)
  from destinations where name is not null
)
select ${COLUMNS} from outbox where id in (
  select (select id from outbox where state = 'pending' and destination = name order by due_at, id limit 1)
  from destinations where name is not null
) order by due_at, id`;

const INSERT = `
insert or ignore into outbox (job_id, channel, event, destination, state, created_at, due_at, secrets)
values ($job_id, $channel, $event, $destination,
  iif(exists (select 1 from outbox where job_id = $job_id and channel = $channel and finished_at is null), 'blocked', 'pending'),
  $created_at, $due_at, $secrets)`;

const FINISH = `
update outbox set state = $state, finished_at = $at, error = $error, reference = $reference, secrets = null where id = $id`;

const UNBLOCK = `
update outbox set state = 'pending' where id in (
  select min(id) from outbox where finished_at is null and (job_id, channel) in
    (select job_id, channel from outbox where id = ?)
) and state = 'blocked'`;

const OPEN = "state in ('pending', 'blocked')";

const EXPIRED = `
select 1 from outbox where ${OPEN} and created_at < ?
union all select 1 from outbox where finished_at < ? limit 1`;

const BACKLOG = `
select channel, count(*) as waiting, min(created_at) as since from (
  select channel, created_at from outbox indexed by outbox_open where ${OPEN}
  union all select channel, created_at from outbox indexed by outbox_sending where state = 'sending'
) group by channel`;

const DIGEST_LENGTH = 32;

const digest = (destination: string): string =>
  createHash("sha256").update(destination).digest("hex").slice(0, DIGEST_LENGTH);

const fromRow = (row: Row): OutboxMessage => ({
  id: row.id,
  jobId: row.job_id as JobId,
  channel: row.channel,
  event: row.event as NoticeEvent,
  destination: row.destination,
  state: row.state as MessageState,
  attempts: row.attempts,
  isUncertain: row.is_uncertain === 1,
  createdAt: row.created_at,
  dueAt: row.due_at,
  finishedAt: row.finished_at,
  error: row.error,
  reference: row.reference,
});

export const createOutboxReads = (db: Database, box: SecretBox): OutboxReads => {
  const heads = db.query<Row, []>(HEADS);
  const ofJob = db.query<Row, [string]>(`select ${COLUMNS} from outbox where job_id = ? order by id`);
  const secrets = db.query<{ secrets: Uint8Array | null }, [number]>("select secrets from outbox where id = ?");
  const interrupted = db.query("select 1 from outbox where state = 'sending' limit 1");
  const expired = db.query(EXPIRED);
  const backlog = db.query<Backlog, []>(BACKLOG);
  return {
    findBatch: createBatchTable(db).findBatch,
    measure: () => backlog.all(),
    hasInterrupted: () => interrupted.get() !== null,
    hasExpired: ({ createdBefore, finishedBefore }) => expired.get(createdBefore, finishedBefore) !== null,
    listHeads: () => heads.all().map(fromRow),
    listOfJob: (id) => ofJob.all(id).map(fromRow),
    openSecrets: (id) => {
      const sealed = secrets.get(id)?.secrets;
      return sealed ? (JSON.parse(box.open(sealed)) as Readonly<Record<string, string>>) : {};
    },
  };
};

const createSettle = (db: Database): OutboxChanges["settle"] => {
  const finish = db.query(FINISH);
  const unblock = db.query(UNBLOCK);
  const retry = db.query(
    "update outbox set state = 'pending', due_at = ?, error = ?, is_uncertain = max(is_uncertain, ?) where id = ?",
  );
  const settle = (id: number, outcome: DeliveryOutcome): void => {
    if (outcome.kind === "retry") {
      retry.run(outcome.dueAt, outcome.error, outcome.isUncertain ? 1 : 0, id);
      return;
    }
    const { kind: state, at } = outcome;
    const told =
      outcome.kind === "dead"
        ? { error: outcome.error, reference: null }
        : { error: null, reference: outcome.reference };
    finish.run({ id, state, at, ...told });
    unblock.run(id);
  };
  return settle;
};

const createExpire = (db: Database): OutboxChanges["expire"] => {
  const giveUp = db.query<Row, [number, number]>(
    `update outbox set state = 'dead', finished_at = ?, secrets = null, error = coalesce(error, 'it was never its turn')
     where ${OPEN} and created_at < ? returning ${COLUMNS}`,
  );
  const drop = db.query("delete from outbox where finished_at < ?");
  return ({ now, createdBefore, finishedBefore }) => {
    const given = giveUp.all(now, createdBefore);
    drop.run(finishedBefore);
    return given.map(fromRow);
  };
};

export const createOutboxChanges = (db: Database, box: SecretBox): OutboxChanges => {
  const insert = db.query(INSERT);
  const markSending = db.query("update outbox set state = 'sending', attempts = attempts + 1 where id = ?");
  const reclaim = db.query("update outbox set state = 'pending', is_uncertain = 1 where state = 'sending'");
  const release = db.query(`update outbox set due_at = ? where job_id = ? and ${OPEN} and attempts = 0`);
  const { openBatch, countInBatch } = createBatchTable(db);
  return {
    openBatch,
    countInBatch,
    enqueue: (notices) => {
      const distinct = new Set(notices.map(({ secrets }) => secrets));
      const sealedOf = new Map([...distinct].map((secrets) => [secrets, box.seal(JSON.stringify(secrets))]));
      for (const { jobId, channel, event, destination, secrets, createdAt, dueAt } of notices) {
        const row = { channel, event, destination: digest(destination), secrets: sealedOf.get(secrets) ?? null };
        insert.run({ ...row, job_id: jobId, created_at: createdAt, due_at: dueAt });
      }
    },
    markSending: (id) => void markSending.run(id),
    settle: createSettle(db),
    release: (jobId, now) => void release.run(now, jobId),
    reclaimInterrupted: () => void reclaim.run(),
    expire: createExpire(db),
  };
};
