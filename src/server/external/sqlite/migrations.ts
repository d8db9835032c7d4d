import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../../../shared/result.ts";

const INITIAL_SCHEMA = `
create table jobs (
  seq integer primary key autoincrement,
  id text not null unique,
  status text not null,
  priority integer not null,
  created_at real not null,
  started_at real,
  completed_at real,
  user text not null,
  artifact_id text,
  num_gpus integer not null,
  spec text not null,
  state text not null,
  env blob
);
create index jobs_queue on jobs (priority desc, created_at, id) where status = 'queued';
create index jobs_queue_cpu on jobs (priority desc, created_at, id) where status = 'queued' and num_gpus = 0;
create index jobs_queue_gpu on jobs (priority desc, created_at, id) where status = 'queued' and num_gpus > 0;
create index jobs_active on jobs (started_at desc) where status in ('starting', 'running');
create index jobs_ended on jobs (completed_at desc, seq desc) where status in ('completed', 'failed', 'killed');
create index jobs_ended_by_status on jobs (status, completed_at desc, seq desc) where completed_at is not null;
create index jobs_artifact on jobs (artifact_id) where status in ('queued', 'starting');
create table counters (name text primary key, value integer not null) without rowid;
insert into counters values ('queued', 0), ('starting', 0), ('running', 0), ('completed', 0), ('failed', 0), ('killed', 0);
create trigger count_insert after insert on jobs begin
  update counters set value = value + 1 where name = new.status;
end;
create trigger count_delete after delete on jobs begin
  update counters set value = value - 1 where name = old.status;
end;
create trigger count_change after update of status on jobs when old.status <> new.status begin
  update counters set value = value - 1 where name = old.status;
  update counters set value = value + 1 where name = new.status;
end;
create table artifacts (
  id text primary key,
  git_sha text,
  is_complete integer not null default 0,
  offered_at real not null
);
create index artifacts_sha on artifacts (git_sha) where is_complete = 1;
create table artifact_chunks (
  artifact_id text not null,
  position integer not null,
  data blob not null,
  primary key (artifact_id, position)
);
create table blacklist (gpu_idx integer primary key);
create table settings (name text primary key, value text not null) without rowid;
`;

const MIGRATIONS: readonly string[] = [INITIAL_SCHEMA];

const readVersion = (db: Database): number =>
  db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;

const migrateTo = (db: Database, version: number, sql: string): void =>
  db.transaction(() => {
    db.exec(sql);
    db.exec(`pragma user_version = ${version}`);
  })();

/** Brings the database forward to this program's schema version; a newer one is refused. */
export const migrate = (db: Database, path: string): Result<void, Readonly<{ message: string }>> => {
  const version = readVersion(db);
  if (version > MIGRATIONS.length) {
    const versions = `schema version ${version}, this one knows up to ${MIGRATIONS.length}`;
    return err({ message: `${path} was written by a newer Nexus (${versions}): install that version again` });
  }
  MIGRATIONS.slice(version).forEach((sql, offset) => {
    migrateTo(db, version + offset + 1, sql);
  });
  return ok(undefined);
};
