import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Clock } from "../../../core/clock.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type { ArtifactStore, ArtifactTotals, ArtifactWriter } from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import { createArtifactWriter } from "./artifact-writer.ts";
import { listIncomplete, listUnused, removeIncomplete, shrinkFile, withdrawUnused } from "./remove-artifacts.ts";

type Parts = Readonly<{ db: Database; commits: GroupCommit; clock: Clock; randomId: () => string }>;
type Writing = Set<string>;

const GRACE_S = 600;

const begin = (parts: Parts, writing: Writing, gitSha: string | null): ArtifactWriter => {
  const id = parts.randomId() as ArtifactId;
  writing.add(id);
  const discard = (): Promise<unknown> => removeIncomplete(parts, id);
  return createArtifactWriter({ ...parts, id, gitSha, discard, release: () => writing.delete(id) });
};

const readChunks = function* (db: Database, id: ArtifactId): Generator<Uint8Array> {
  const artifact = db.query<{ size: number }, [string]>("select size from artifacts where id = ? and is_complete = 1");
  const chunk = db.query<{ data: Uint8Array }, [string, number]>(
    "select data from artifact_chunks where artifact_id = ? and position = ?",
  );
  const size = artifact.get(id)?.size;
  if (size === undefined) throw new Error(`There is no artifact ${id}`);
  let read = 0;
  for (let position = 0; read < size; position++) {
    const row = chunk.get(id, position);
    if (row === null) throw new Error(`Artifact ${id} ends after ${read} of ${size} bytes`);
    read += row.data.length;
    yield row.data;
  }
};

const findBySha = async ({ db, commits, clock }: Parts, gitSha: string): Promise<ArtifactId | null> => {
  const newest = "select id from artifacts where is_complete = 1 and git_sha = ? order by last_offered_at desc limit 1";
  const found = db.query<{ id: string }, [string]>(newest).get(gitSha);
  if (found === null) return null;
  const offer = "update artifacts set last_offered_at = ? where id = ? and is_complete = 1";
  const offered = await commits.write(() => db.query(offer).run(clock(), found.id).changes);
  return offered.ok && offered.value === 1 ? (found.id as ArtifactId) : null;
};

const measureArtifacts = (db: Database): ArtifactTotals =>
  db
    .query<ArtifactTotals, []>(
      "select count(*) as count, ifnull(sum(size), 0) as bytes from artifacts where is_complete",
    )
    .get() ?? { count: 0, bytes: 0 };

const removeAbandoned = async (parts: Parts, writing: Writing): Promise<Result<void, Unavailable>> => {
  for (const id of listIncomplete(parts.db)) {
    const removed = writing.has(id) ? ok(undefined) : await removeIncomplete(parts, id);
    if (!removed.ok) return removed;
  }
  return ok(undefined);
};

const deleteUnused = async (parts: Parts, writing: Writing): Promise<Result<number, Unavailable>> => {
  const before = parts.clock() - GRACE_S;
  let count = 0;
  for (const id of listUnused(parts.db, before)) {
    const withdrawn = await withdrawUnused(parts, id, before);
    if (!withdrawn.ok) return withdrawn;
    count += withdrawn.value ? 1 : 0;
  }
  const removed = await removeAbandoned(parts, writing);
  const shrunk = removed.ok ? await shrinkFile(parts) : removed;
  return shrunk.ok ? ok(count) : shrunk;
};

/**
 * An artifact that is looked for by its commit is offered to a client, so its grace begins anew. What a crash left
 * half-written is removed in the background.
 */
export const createArtifactTable = (parts: Parts): ArtifactStore => {
  const writing: Writing = new Set();
  void removeAbandoned(parts, writing);
  return {
    begin: (gitSha) => begin(parts, writing, gitSha),
    findBySha: (gitSha) => findBySha(parts, gitSha),
    read: (id) => ({ [Symbol.iterator]: () => readChunks(parts.db, id) }),
    deleteUnused: () => deleteUnused(parts, writing),
    measure: () => measureArtifacts(parts.db),
  };
};
