import type { Database } from "bun:sqlite";
import { ADD_RESERVATIONS } from "./add-reservations.ts";
import { addSubjects } from "./add-subjects.ts";
import { KEEP_INPUTS } from "./keep-inputs.ts";
import { ADD_SPENT } from "./tables/usage/spent-index.ts";

export type Migration = string | ((db: Database) => void);

const INITIAL_SCHEMA = `
create table jobs (
  seq integer primary key,
  id text not null unique,
  status text not null,
  priority integer not null,
  created_at real not null,
  started_at real,
  completed_at real,
  user text not null,
  artifact_id text,
  num_gpus integer not null,
  command text not null,
  gpu_idxs text not null,
  details text not null,
  env blob
);
create index jobs_queued on jobs (priority desc, created_at, id, gpu_idxs) where status = 'queued';
create index jobs_queued_cpu on jobs (priority desc, created_at, id) where status = 'queued' and num_gpus = 0;
create index jobs_queued_gpu on jobs (priority desc, created_at, id) where status = 'queued' and num_gpus > 0;
create index jobs_queued_by_user on jobs (user, priority desc, created_at, id) where status = 'queued';
create index jobs_active on jobs (started_at desc, seq desc) where status in ('starting', 'running');
create index jobs_ended on jobs (completed_at desc, seq desc, status, gpu_idxs)
  where status in ('completed', 'failed', 'killed');
create index jobs_ended_by_user on jobs (user, completed_at desc, seq desc, status)
  where status in ('completed', 'failed', 'killed');
create index jobs_ended_by_status on jobs (status, completed_at desc, seq desc, gpu_idxs)
  where status in ('completed', 'failed', 'killed');
create index jobs_artifact on jobs (artifact_id) where status in ('queued', 'starting');
create index jobs_sealed on jobs (seq) where env is not null;
create table counters (status text primary key, jobs integer not null) without rowid;
insert into counters values ('queued', 0), ('starting', 0), ('running', 0), ('completed', 0), ('failed', 0), ('killed', 0);
create trigger count_inserted after insert on jobs begin
  update counters set jobs = jobs + 1 where status = new.status;
end;
create trigger count_deleted after delete on jobs begin
  update counters set jobs = jobs - 1 where status = old.status;
end;
create trigger count_moved after update of status on jobs when old.status <> new.status begin
  update counters set jobs = jobs - 1 where status = old.status;
  update counters set jobs = jobs + 1 where status = new.status;
end;
create table artifacts (
  id text primary key,
  git_sha text,
  size integer not null default 0,
  created_at real not null,
  last_offered_at real not null,
  is_complete integer not null default 0
) without rowid;
create index artifacts_by_sha on artifacts (git_sha, last_offered_at) where is_complete = 1;
create index artifacts_incomplete on artifacts (id) where is_complete = 0;
create table artifact_chunks (
  artifact_id text not null,
  position integer not null,
  data blob not null,
  primary key (artifact_id, position)
);
create table blacklist (gpu_idx integer primary key);
create table settings (name text primary key, value text not null) without rowid;
`;

const ADD_OUTBOX = `
create table outbox (
  id integer primary key,
  job_id text not null,
  channel text not null,
  event text not null,
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
  unique (job_id, channel, event)
);
create index outbox_pending on outbox (destination, due_at, id) where state = 'pending';
create index outbox_open on outbox (created_at) where state in ('pending', 'blocked');
create index outbox_sending on outbox (id) where state = 'sending';
create index outbox_finished on outbox (finished_at) where finished_at is not null;
`;

const ADD_BATCHES = `
create table batches (
  id text primary key,
  total integer not null,
  completed integer not null default 0,
  failed integer not null default 0,
  killed integer not null default 0,
  removed integer not null default 0,
  failed_ids text not null default ''
) without rowid;
`;

const ADD_TOKENS = `
create table tokens (
  name text primary key,
  role text not null,
  digest text not null unique,
  created_at real not null,
  expires_at real
) without rowid;
`;

const ADD_GPU_FAULTS = `
create table gpu_faults (
  gpu_idx integer primary key,
  uuid text,
  text text not null,
  at real not null
);
`;

const ADD_LIMITS = `
alter table jobs add column need text not null default '';
update jobs set need = json_array(
  num_gpus,
  json((select json_group_array(value) from (select value from json_each(details, '$.requestedGpuIdxs') order by value))),
  json(iif(num_gpus > 0 and json_extract(details, '$.ignoreBlacklist'), 'true', 'false'))
) where status = 'queued';
create index jobs_queued_by_need on jobs (need, priority desc, created_at, id) where status = 'queued';
create table queued_by_user (user text primary key, jobs integer not null) without rowid;
insert into queued_by_user select user, count(*) from jobs where status = 'queued' group by user;
create trigger queue_grown after insert on jobs when new.status = 'queued' begin
  insert into queued_by_user values (new.user, 1) on conflict (user) do update set jobs = jobs + 1;
end;
create trigger queue_shrunk after delete on jobs when old.status = 'queued' begin
  update queued_by_user set jobs = jobs - 1 where user = old.user;
  delete from queued_by_user where user = old.user and jobs = 0;
end;
create trigger queue_left after update of status, user on jobs
when old.status = 'queued' and (new.status <> 'queued' or new.user <> old.user) begin
  update queued_by_user set jobs = jobs - 1 where user = old.user;
  delete from queued_by_user where user = old.user and jobs = 0;
end;
create trigger queue_joined after update of status, user on jobs
when new.status = 'queued' and (old.status <> 'queued' or new.user <> old.user) begin
  insert into queued_by_user values (new.user, 1) on conflict (user) do update set jobs = jobs + 1;
end;
alter table artifacts add column owner text;
alter table artifacts add column is_claimed integer not null default 0;
create index artifacts_by_owner on artifacts (owner, size) where owner is not null;
`;

const ADD_MOVING = `
create index jobs_moving on jobs (completed_at, seq)
  where status in ('completed', 'failed', 'killed') and details ->> '$.outputs.state' = 'moving';
`;

const tendArtifact = (id: string): string => `update artifacts set
  is_awaited = exists (select 1 from jobs where artifact_id = ${id} and completed_at is null and status in ('queued', 'starting'))
    or not exists (select 1 from jobs where artifact_id = ${id}),
  unused_since = iif(exists (select 1 from jobs where artifact_id = ${id} and completed_at is null), null,
    (select max(completed_at) from jobs where artifact_id = ${id}))
  where id = ${id};`;

const KEEP_CODE = `
alter table artifacts add column stored integer not null default 0;
alter table artifacts add column is_compressed integer not null default 0;
alter table artifacts add column is_awaited integer not null default 1;
alter table artifacts add column unused_since real;
drop index jobs_artifact;
create index jobs_artifact on jobs (artifact_id, completed_at, status) where artifact_id is not null;
update artifacts set stored = size;
${tendArtifact("artifacts.id")}
drop index artifacts_by_owner;
create index artifacts_by_owner on artifacts (owner, size) where owner is not null and is_awaited = 1;
create index artifacts_unused on artifacts (unused_since, stored) where unused_since is not null;
create trigger code_named after insert on jobs when new.artifact_id is not null begin
  ${tendArtifact("new.artifact_id")}
end;
create trigger code_left after delete on jobs when old.artifact_id is not null begin
  ${tendArtifact("old.artifact_id")}
end;
create trigger code_used after update of status, artifact_id on jobs
when new.artifact_id is not null and (old.status <> new.status or old.artifact_id is not new.artifact_id) begin
  ${tendArtifact("new.artifact_id")}
end;
`;

const ADD_EXPIRING = `
create index jobs_expiring on jobs (user, details ->> '$.outputs.keptUntil', seq)
  where status in ('completed', 'failed', 'killed') and details ->> '$.outputs.isWarned' = 1
    and details ->> '$.outputs.isPulled' = 0;
`;

const ADD_AGENTS = "alter table tokens add column limits text";

const ADD_READINESS = `
alter table jobs add column ready_at real default 0;
alter table jobs add column begins_at real not null default 0;
alter table jobs add column waits_since real not null default 0;
update jobs set waits_since = created_at where status = 'queued';
drop index jobs_queued_by_need;
create index jobs_ready on jobs (need, priority desc, created_at, id) where status = 'queued' and ready_at = 0;
create index jobs_timed on jobs (ready_at) where status = 'queued' and ready_at > 0;
create index jobs_begun on jobs (begins_at) where status = 'queued' and ready_at = 0 and begins_at > 0;
`;

const ADD_NEEDS = `
create table job_needs (
  needs_id text not null,
  job_id text not null,
  is_any integer not null,
  primary key (needs_id, job_id)
) without rowid;
create index job_needs_of on job_needs (job_id, needs_id);
`;

const ADD_BATCH_INDEX = `
create index jobs_by_batch on jobs (details ->> '$.batchId', status, user) where details ->> '$.batchId' is not null;
`;

const ADD_TURNS = `
drop index jobs_ready;
create index jobs_ready on jobs (user, need, priority desc, created_at, id) where status = 'queued' and ready_at = 0;
create index jobs_ready_gpu on jobs (num_gpus) where status = 'queued' and ready_at = 0 and num_gpus > 0;
create index jobs_unpassed on jobs (user, need, priority desc, created_at, id)
  where status = 'queued' and ready_at = 0 and waits_since < 0;
create table gpu_use (user text primary key, seconds real not null, at real not null) without rowid;
`;

const READ_HEADS = `
drop index jobs_ready;
drop index jobs_unpassed;
create index jobs_ready on jobs (user, need, priority desc, created_at, id, waits_since)
  where status = 'queued' and ready_at = 0;
`;

/** The schema, step by step: what stands here has been run by somebody's database, so steps are only added. */
export const MIGRATIONS: readonly Migration[] = [
  INITIAL_SCHEMA,
  ADD_OUTBOX,
  ADD_BATCHES,
  ADD_TOKENS,
  addSubjects,
  ADD_GPU_FAULTS,
  ADD_LIMITS,
  ADD_MOVING,
  KEEP_CODE,
  ADD_EXPIRING,
  KEEP_INPUTS,
  ADD_AGENTS,
  ADD_READINESS,
  ADD_NEEDS,
  ADD_BATCH_INDEX,
  ADD_TURNS,
  ADD_RESERVATIONS,
  ADD_SPENT,
  READ_HEADS,
];
