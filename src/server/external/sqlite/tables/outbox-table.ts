import type { Database } from "bun:sqlite";
import { digestText } from "../../../../tools/digest.ts";
import type { Backlog, DeliveryOutcome, Notice, OutboxChanges, OutboxReads } from "../../../core/notices/outbox.ts";
import type { SecretBox } from "../secret-box.ts";
import { createBatchTable } from "./batch-table.ts";
import { OUTBOX_COLUMNS, type OutboxRow, readMessage, readPayload, writePayload, writeSubject } from "./outbox-row.ts";

const HEADS = `
with recursive destinations(name) as (
  select min(destination) from outbox where state = 'pending'
  union all
  select (select min(destination) from outbox where state = 'pending' and destination > name)
  from destinations where name is not null
)
select ${OUTBOX_COLUMNS} from outbox where id in (
  select (select id from outbox where state = 'pending' and destination = name order by due_at, id limit 1)
  from destinations where name is not null
) order by due_at, id`;

const INSERT = `
insert or ignore into outbox
  (subject, event, job_id, batch_id, channel, destination, state, created_at, due_at, secrets, payload)
values ($subject, $event, $job_id, $batch_id, $channel, $destination,
  iif(exists (select 1 from outbox where job_id = $job_id and channel = $channel and finished_at is null), 'blocked', 'pending'),
  $created_at, $due_at, $secrets, $payload)`;

const FINISH = `
update outbox set state = $state, finished_at = $at, error = $error, reference = $reference, secrets = null, payload = null
where id = $id`;

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
select channel, count(*) as waiting, min(created_at) as since, error from (
  select channel, created_at, error from outbox indexed by outbox_open where ${OPEN}
  union all select channel, created_at, error from outbox indexed by outbox_sending where state = 'sending'
) group by channel`;

const DIGEST_LENGTH = 32;

const digest = (destination: string): string => digestText(destination).slice(0, DIGEST_LENGTH);

const createOpen = (db: Database, box: SecretBox, column: "secrets" | "payload") => {
  const find = db.query<{ sealed: Uint8Array | null }, [number]>(`select ${column} as sealed from outbox where id = ?`);
  return (id: number): string | null => {
    const sealed = find.get(id)?.sealed;
    return sealed ? box.open(sealed) : null;
  };
};

export const createOutboxReads = (db: Database, box: SecretBox): OutboxReads => {
  const heads = db.query<OutboxRow, []>(HEADS);
  const ofJob = db.query<OutboxRow, [string]>(`select ${OUTBOX_COLUMNS} from outbox where job_id = ? order by id`);
  const secrets = createOpen(db, box, "secrets");
  const payload = createOpen(db, box, "payload");
  const interrupted = db.query("select 1 from outbox where state = 'sending' limit 1");
  const expired = db.query(EXPIRED);
  const backlog = db.query<Backlog, []>(BACKLOG);
  return {
    findBatch: createBatchTable(db).findBatch,
    measure: () => backlog.all(),
    hasInterrupted: () => interrupted.get() !== null,
    hasExpired: ({ createdBefore, finishedBefore }) => expired.get(createdBefore, finishedBefore) !== null,
    listHeads: () => heads.all().map(readMessage),
    listOfJob: (id) => ofJob.all(id).map(readMessage),
    openSubject: ({ id, subject }) => readPayload(subject, payload(id)),
    openSecrets: (id) => JSON.parse(secrets(id) ?? "{}") as Notice["secrets"],
  };
};

const createEnqueue = (db: Database, box: SecretBox): OutboxChanges["enqueue"] => {
  const insert = db.query(INSERT);
  return (notices) => {
    const distinct = new Set(notices.map(({ secrets }) => secrets));
    const sealedOf = new Map([...distinct].map((secrets) => [secrets, box.seal(JSON.stringify(secrets))]));
    for (const { subject, channel, destination, secrets, createdAt, dueAt } of notices) {
      const payload = writePayload(subject);
      insert.run({
        ...writeSubject(subject),
        ...{ channel, destination: digest(destination), created_at: createdAt, due_at: dueAt },
        secrets: sealedOf.get(secrets) ?? null,
        payload: payload === null ? null : box.seal(payload),
      });
    }
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
  const giveUp = db.query<OutboxRow, [number, number]>(
    `update outbox set state = 'dead', finished_at = ?, secrets = null, payload = null,
       error = coalesce(error, 'it was never its turn')
     where ${OPEN} and created_at < ? returning ${OUTBOX_COLUMNS}`,
  );
  const drop = db.query("delete from outbox where finished_at < ?");
  return ({ now, createdBefore, finishedBefore }) => {
    const given = giveUp.all(now, createdBefore);
    drop.run(finishedBefore);
    return given.map(readMessage);
  };
};

export const createOutboxChanges = (db: Database, box: SecretBox): OutboxChanges => {
  const markSending = db.query("update outbox set state = 'sending', attempts = attempts + 1 where id = ?");
  const reclaim = db.query("update outbox set state = 'pending', is_uncertain = 1 where state = 'sending'");
  const release = db.query(`update outbox set due_at = ? where job_id = ? and ${OPEN} and attempts = 0`);
  const { openBatch, countInBatch } = createBatchTable(db);
  return {
    openBatch,
    countInBatch,
    enqueue: createEnqueue(db, box),
    markSending: (id) => void markSending.run(id),
    settle: createSettle(db),
    release: (jobId, now) => void release.run(now, jobId),
    reclaimInterrupted: () => void reclaim.run(),
    expire: createExpire(db),
  };
};
