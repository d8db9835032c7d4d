import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type { GroupCommit } from "../group-commit.ts";

type Parts = Readonly<{ db: Database; commits: GroupCommit }>;
type Removed = Promise<Result<void, Unavailable>>;

const ROWS_A_WRITE = 8;
const PAGES_A_WRITE = 512;
const PAGES_KEPT_FREE = 2560;

const DELETE_CHUNKS = `delete from artifact_chunks where artifact_id = $id and position in
  (select position from artifact_chunks where artifact_id = $id order by position desc limit ${ROWS_A_WRITE})`;

const UNUSED = `is_complete = 1 and last_offered_at < $before and (unused_since is null or unused_since < $expiry)
  and not exists (select 1 from jobs indexed by jobs_artifact where artifact_id = artifacts.id and completed_at is null)
  and not exists (select 1 from jobs indexed by jobs_input where details ->> '$.inputId' = +artifacts.id and completed_at is null)`;

const KEPT = `select id, stored from artifacts indexed by artifacts_unused
  where unused_since is not null and is_complete = 1 order by unused_since`;

/** In Unix seconds: unused since before `expiry`, and offered to nobody since `before`. */
export type Unused = Readonly<{ before: number; expiry: number }>;

const removeSome = (db: Database, id: string): boolean => {
  if (db.query(DELETE_CHUNKS).run({ id }).changes === ROWS_A_WRITE) return false;
  db.query("delete from artifacts where id = ?").run(id);
  return true;
};

/** Removes one that is not complete, a few rows a write, so that no other writer waits long. */
export const removeIncomplete = async ({ db, commits }: Parts, id: string): Removed => {
  for (;;) {
    const removed = await commits.write(() => removeSome(db, id));
    if (!removed.ok) return removed;
    if (removed.value) return ok(undefined);
  }
};

export const listIncomplete = (db: Database): readonly string[] =>
  db
    .query<{ id: string }, []>("select id from artifacts where is_complete = 0")
    .all()
    .map(({ id }) => id);

/** Those that no job needs; a job may still come to need one. */
export const listUnused = (db: Database, unused: Unused): readonly string[] =>
  db
    .query<{ id: string }, Unused>(`select id from artifacts where ${UNUSED}`)
    .all(unused)
    .map(({ id }) => id);

/** What those take that no job needs and that a job has named. */
export const measureKept = (db: Database): number =>
  db
    .query<{ bytes: number }, []>(
      "select ifnull(sum(stored), 0) as bytes from artifacts indexed by artifacts_unused where unused_since is not null",
    )
    .get()?.bytes ?? 0;

/** The same one by one, longest unused first. */
export const listKept = (db: Database): readonly Readonly<{ id: string; stored: number }>[] =>
  db.query<{ id: string; stored: number }, []>(KEPT).all();

/** False when it came into use since it was listed. */
export const withdrawUnused = (
  { db, commits }: Parts,
  id: string,
  unused: Unused,
): Promise<Result<boolean, Unavailable>> => {
  const withdraw = `update artifacts set is_complete = 0, owner = null, unused_since = null where id = $id and ${UNUSED}`;
  return commits.write(() => db.query(withdraw).run({ id, ...unused }).changes === 1);
};

const countFreePages = (db: Database): number =>
  db.query<{ freelist_count: number }, []>("pragma freelist_count").get()?.freelist_count ?? 0;

/** Gives space back to the disk, all but a little that the next artifact will need. */
export const shrinkFile = async ({ db, commits }: Parts): Removed => {
  while (countFreePages(db) > PAGES_KEPT_FREE) {
    const shrunk = await commits.write(() => db.query(`pragma incremental_vacuum(${PAGES_A_WRITE})`).all());
    if (!shrunk.ok) return shrunk;
  }
  return ok(undefined);
};
