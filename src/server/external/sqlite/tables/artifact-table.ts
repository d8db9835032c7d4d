import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Clock } from "../../../core/clock.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type { ArtifactShare, ArtifactStore, ArtifactTotals, ArtifactWriter } from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import { createShareTable, type ShareTable } from "./artifact-share.ts";
import { createArtifactWriter } from "./artifact-writer.ts";
import { listIncomplete, listUnused, removeIncomplete, shrinkFile, withdrawUnused } from "./remove-artifacts.ts";

type Given = Readonly<{ db: Database; commits: GroupCommit; clock: Clock; randomId: () => string }>;
type Parts = Given & Readonly<{ shares: ShareTable }>;
type Writing = Set<string>;

const GRACE_S = 600;

const dropSpent = async (parts: Parts, writing: Writing, owner: string): Promise<boolean> => {
  const withdrawn = await parts.commits.write(() => parts.shares.withdrawSpent(owner));
  return withdrawn.ok && withdrawn.value > 0 && (await removeAbandoned(parts, writing)).ok;
};

const begin = (
  parts: Parts,
  writing: Writing,
  { gitSha, share }: Readonly<{ gitSha: string | null; share: ArtifactShare | undefined }>,
): ArtifactWriter => {
  const id = parts.randomId() as ArtifactId;
  writing.add(id);
  return createArtifactWriter({
    ...parts,
    ...{ id, gitSha, share },
    makeRoom: (owner) => dropSpent(parts, writing, owner),
    discard: () => removeIncomplete(parts, id),
    release: () => writing.delete(id),
  });
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
  const offer = "update artifacts set last_offered_at = ?, is_claimed = 0 where id = ? and is_complete = 1";
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
 * half-written is removed in the background. Where a share is full, those of its owner go at once that jobs named and none
 * needs any more.
 */
export const createArtifactTable = (given: Given): ArtifactStore => {
  const parts = { ...given, shares: createShareTable(given.db) };
  const writing: Writing = new Set();
  void removeAbandoned(parts, writing);
  return {
    begin: (gitSha, share) => begin(parts, writing, { gitSha, share }),
    findBySha: (gitSha) => findBySha(parts, gitSha),
    read: (id) => ({ [Symbol.iterator]: () => readChunks(parts.db, id) }),
    deleteUnused: () => deleteUnused(parts, writing),
    measure: () => measureArtifacts(parts.db),
  };
};
