import type { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createSecretBox, type SecretBox } from "./secret-box.ts";

const RENEW_TABLE = `
alter table outbox rename to old_outbox;
create table outbox (
  id integer primary key,
  subject text not null,
  event text not null,
  job_id text,
  batch_id text,
  channel text not null,
  destination text not null,
  state text not null,
  attempts integer not null default 0,
  is_uncertain integer not null default 0,
  created_at real not null,
  due_at real not null,
  finished_at real,
  error text,
  reference text,
  secrets blob,
  payload blob
);
insert into outbox
  select id,
    case event when 'batch_done' then 'batch' when 'unhealthy' then 'machine' when 'recovered' then 'machine' else 'job' end,
    event, iif(event in ('unhealthy', 'recovered'), null, job_id), iif(event = 'batch_done', job_id, null),
    channel, destination, state, attempts, is_uncertain, created_at, due_at, finished_at, error, reference, secrets, null
  from old_outbox;
drop table old_outbox;
`;

const ADD_INDEXES = `
create unique index outbox_of_job on outbox (job_id, channel, event) where subject = 'job';
create unique index outbox_of_batch on outbox (batch_id, channel, event) where subject = 'batch';
create unique index outbox_of_machine on outbox (cast(created_at as integer), channel, event) where subject = 'machine';
create index outbox_by_job on outbox (job_id, channel);
create index outbox_pending on outbox (destination, due_at, id) where state = 'pending';
create index outbox_open on outbox (created_at) where state in ('pending', 'blocked');
create index outbox_sending on outbox (id) where state = 'sending';
create index outbox_finished on outbox (finished_at) where finished_at is not null;
`;

const SEALED = `
select outbox.id, subject, secrets, coalesce(json_extract(details, '$.batchId'), batch_id) as batchId
from outbox left join jobs on jobs.id = job_id where subject <> 'job' and secrets is not null`;

const MOVE = `
update outbox set batch_id = $batchId, payload = $payload, secrets = iif($payload is null, secrets, null) where id = $id`;

type Texts = Readonly<Record<string, string>>;
type Row = Readonly<{ id: number; subject: "batch" | "machine"; secrets: Uint8Array; batchId: string | null }>;
type Kept = Readonly<{ batchId: string | null; payload: string | null }>;

const findKey = (db: Database): Uint8Array | null => {
  const path = join(dirname(db.filename), "secret.key");
  if (db.query("select 1 from sqlite_schema where name = 'backup'").get() === null)
    return existsSync(path) ? readFileSync(path) : null;
  const note = db.query<{ value: Uint8Array }, []>("select value from backup where name = 'secret_key'").get();
  return note?.value ?? null;
};

const openTexts = (box: SecretBox, sealed: Uint8Array): Texts | null => {
  try {
    return JSON.parse(box.open(sealed)) as Texts;
  } catch {
    return null;
  }
};

const splitBatch = (batchId: string | null, { "removed job": payload }: Texts): Kept =>
  payload === undefined
    ? { batchId, payload: null }
    : { batchId: (JSON.parse(payload) as Readonly<{ batchId: string }>).batchId, payload };

const split = ({ subject, batchId }: Row, texts: Texts): Kept =>
  subject === "batch"
    ? splitBatch(batchId, texts)
    : { batchId: null, payload: JSON.stringify({ nodeName: texts["node"], figures: texts["text"] }) };

const movePayloads = (db: Database, box: SecretBox): void => {
  const move = db.query(MOVE);
  for (const row of db.query<Row, []>(SEALED).all()) {
    const texts = openTexts(box, row.secrets);
    if (texts === null) continue;
    const { batchId, payload } = split(row, texts);
    move.run({ id: row.id, batchId, payload: payload === null ? null : box.seal(payload) });
  }
};

/**
 * Gives the rows of the outbox a subject, and what `secrets` held of a removed job or the machine a place of its own. What
 * can't be opened, as the key is lost, stays as it is.
 */
export const addSubjects = (db: Database): void => {
  db.exec(RENEW_TABLE);
  const key = findKey(db);
  if (key !== null) movePayloads(db, createSecretBox(key));
  db.exec(ADD_INDEXES);
};
