import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { ok, type Result } from "../../../shared/result.ts";
import type { ArtifactId } from "../../core/job.ts";
import type { ArtifactStore, ArtifactWriter, Clock, Unavailable } from "../../core/ports.ts";
import type { GroupCommit } from "./group-commit.ts";

type Parts = Readonly<{ db: Database; commits: GroupCommit; clock: Clock }>;

const ROW_BYTES = 512 * 1024;
const GRACE_S = 600;
const ID_BYTES = 8;
const CHUNKS_A_WRITE = 8;

const insertRow = (
  { db, commits, clock }: Parts,
  row: Readonly<{ id: string; gitSha: string | null; position: number; data: Uint8Array }>,
) =>
  commits.write(() => {
    const { id, gitSha, position, data } = row;
    if (position === 0)
      db.query("insert into artifacts (id, git_sha, offered_at) values (?, ?, ?)").run(id, gitSha, clock());
    db.query("insert into artifact_chunks values (?, ?, ?)").run(id, position, data);
  });

const completeArtifact = ({ db, commits, clock }: Parts, id: ArtifactId): Promise<Result<ArtifactId, Unavailable>> =>
  commits.write(() => {
    db.query("update artifacts set is_complete = 1, offered_at = ? where id = ?").run(clock(), id);
    return id;
  });

const createWriter = (parts: Parts, gitSha: string | null): ArtifactWriter => {
  const id = randomBytes(ID_BYTES).toString("hex") as ArtifactId;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let position = 0;

  const flush = (): Promise<Result<void, Unavailable>> => {
    const data = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    return insertRow(parts, { id, gitSha, position: position++, data });
  };

  const append: ArtifactWriter["append"] = async (chunk) => {
    held.push(chunk);
    heldBytes += chunk.length;
    return heldBytes < ROW_BYTES ? ok(undefined) : flush();
  };

  const finish: ArtifactWriter["finish"] = async () => {
    const flushed = await flush();
    return flushed.ok ? completeArtifact(parts, id) : flushed;
  };

  return { append, finish, abort: async () => void (await removeArtifact(parts, id)) };
};

const removeArtifact = async ({ db, commits }: Parts, id: string): Promise<Result<void, Unavailable>> => {
  const marked = await commits.write(() => void db.query("update artifacts set is_complete = 0 where id = ?").run(id));
  if (!marked.ok) return marked;
  for (;;) {
    const removed = await commits.write(() => removeChunks(db, id));
    if (!removed.ok) return removed;
    if (removed.value < CHUNKS_A_WRITE) break;
  }
  return commits.write(() => void db.query("delete from artifacts where id = ?").run(id));
};

const removeChunks = (db: Database, id: string): number =>
  db
    .query(
      `delete from artifact_chunks where artifact_id = $id and position in
        (select position from artifact_chunks where artifact_id = $id limit ${CHUNKS_A_WRITE})`,
    )
    .run({ $id: id }).changes;

const UNUSED = `select id from artifacts where is_complete = 1 and offered_at < ? and not exists
  (select 1 from jobs where artifact_id = artifacts.id and status in ('queued', 'starting'))`;

/** Those that a crash left half-written; run before anyone writes. */
export const removeIncomplete = (db: Database): void => {
  db.exec("delete from artifact_chunks where artifact_id in (select id from artifacts where is_complete = 0)");
  db.exec("delete from artifacts where is_complete = 0");
};

const readChunks = function* (db: Database, id: ArtifactId): Iterable<Uint8Array> {
  const chunk = db.query<{ data: Uint8Array }, [string, number]>(
    "select data from artifact_chunks where artifact_id = ? and position = ?",
  );
  for (let position = 0; ; position++) {
    const row = chunk.get(id, position);
    if (row === null) return;
    yield row.data;
  }
};

const findBySha = async ({ db, commits, clock }: Parts, gitSha: string): Promise<ArtifactId | null> => {
  const query = "select id from artifacts where is_complete = 1 and git_sha = ? order by offered_at desc limit 1";
  const found = db.query<{ id: string }, [string]>(query).get(gitSha);
  if (found === null) return null;
  const touch = "update artifacts set offered_at = ? where id = ? and is_complete = 1";
  const touched = await commits.write(() => db.query(touch).run(clock(), found.id).changes);
  return touched.ok && touched.value === 1 ? (found.id as ArtifactId) : null;
};

const deleteUnused = async (parts: Parts): Promise<Result<number, Unavailable>> => {
  const unused = parts.db.query<{ id: string }, [number]>(UNUSED).all(parts.clock() - GRACE_S);
  for (const { id } of unused) {
    const removed = await removeArtifact(parts, id);
    if (!removed.ok) return removed;
  }
  if (unused.length > 0) parts.db.exec("pragma incremental_vacuum(2048)");
  return ok(unused.length);
};

/** An artifact being looked for by its tree is offered to a client, so its grace begins anew. */
export const createArtifactTable = (parts: Parts): ArtifactStore => ({
  begin: (gitSha) => createWriter(parts, gitSha),
  findBySha: (gitSha) => findBySha(parts, gitSha),
  read: (id) => readChunks(parts.db, id),
  deleteUnused: () => deleteUnused(parts),
});
