import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Clock } from "../../../core/clock.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type {
  ArtifactRetention,
  ArtifactShare,
  ArtifactStore,
  ArtifactTotals,
  ArtifactWriter,
  OpenedArtifact,
} from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import { createShareTable, type ShareTable } from "./artifact-share.ts";
import { createArtifactWriter } from "./artifact-writer.ts";
import { unpackRow } from "./packed-rows.ts";
import {
  listIncomplete,
  listKept,
  listUnused,
  measureKept,
  removeIncomplete,
  shrinkFile,
  type Unused,
  withdrawUnused,
} from "./remove-artifacts.ts";

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

type Content = Readonly<{ size: number; is_compressed: number }>;

const CONTENT = "select size, is_compressed from artifacts where id = ? and is_complete = 1";
const OFFER =
  "update artifacts set last_offered_at = $now, is_claimed = is_claimed and $isClaimed where id = $id and is_complete = 1";

const readChunks = function* (db: Database, id: ArtifactId): Generator<Uint8Array> {
  const chunk = db.query<{ data: Uint8Array }, [string, number]>(
    "select data from artifact_chunks where artifact_id = ? and position = ?",
  );
  const content = db.query<Content, [string]>(CONTENT).get(id);
  if (content === null) throw new Error(`There is no artifact ${id}`);
  let read = 0;
  for (let position = 0; read < content.size; position++) {
    const row = chunk.get(id, position);
    if (row === null) throw new Error(`Artifact ${id} ends after ${read} of ${content.size} bytes`);
    const data = content.is_compressed === 1 ? unpackRow(row.data) : row.data;
    read += data.length;
    yield data;
  }
};

const offer = async ({ db, commits, clock }: Parts, id: string, isClaimed: boolean): Promise<boolean> => {
  const offered = await commits.write(() => db.query(OFFER).run({ id, now: clock(), isClaimed }).changes === 1);
  return offered.ok && offered.value;
};

const findBySha = async (parts: Parts, gitSha: string, owner: string | null): Promise<ArtifactId | null> => {
  const newest = `select id from artifacts where is_complete = 1 and git_sha = ? and owner is ?
    order by last_offered_at desc limit 1`;
  const found = parts.db.query<{ id: string }, [string, string | null]>(newest).get(gitSha, owner);
  return found !== null && (await offer(parts, found.id, false)) ? (found.id as ArtifactId) : null;
};

const openArtifact = async (parts: Parts, id: ArtifactId): Promise<OpenedArtifact | null> => {
  await offer(parts, id, true);
  const content = parts.db.query<Content, [string]>(CONTENT).get(id);
  return content === null ? null : { bytes: content.size, chunks: readArtifact(parts.db, id) };
};

const readArtifact = (db: Database, id: ArtifactId): Iterable<Uint8Array> => ({
  [Symbol.iterator]: () => readChunks(db, id),
});

const measureArtifacts = (db: Database): ArtifactTotals =>
  db
    .query<ArtifactTotals, []>(
      "select count(*) as count, ifnull(sum(stored), 0) as bytes from artifacts where is_complete",
    )
    .get() ?? { count: 0, bytes: 0 };

const removeAbandoned = async (parts: Parts, writing: Writing): Promise<Result<void, Unavailable>> => {
  for (const id of listIncomplete(parts.db)) {
    const removed = writing.has(id) ? ok(undefined) : await removeIncomplete(parts, id);
    if (!removed.ok) return removed;
  }
  return ok(undefined);
};

const withdrawAll = async (parts: Parts, unused: Unused): Promise<Result<number, Unavailable>> => {
  let count = 0;
  for (const id of listUnused(parts.db, unused)) {
    const withdrawn = await withdrawUnused(parts, id, unused);
    if (!withdrawn.ok) return withdrawn;
    count += withdrawn.value ? 1 : 0;
  }
  return ok(count);
};

const withdrawExcess = async (parts: Parts, before: number, maxBytes: number): Promise<Result<number, Unavailable>> => {
  let left = measureKept(parts.db);
  let count = 0;
  for (const { id, stored } of left > maxBytes ? listKept(parts.db) : []) {
    if (left <= maxBytes) break;
    const withdrawn = await withdrawUnused(parts, id, { before, expiry: Number.POSITIVE_INFINITY });
    if (!withdrawn.ok) return withdrawn;
    if (!withdrawn.value) continue;
    left -= stored;
    count += 1;
  }
  return ok(count);
};

const deleteUnused = async (
  parts: Parts,
  writing: Writing,
  { expiry, maxBytes }: ArtifactRetention,
): Promise<Result<number, Unavailable>> => {
  const before = parts.clock() - GRACE_S;
  const expired = await withdrawAll(parts, { before, expiry });
  if (!expired.ok) return expired;
  const excess = await withdrawExcess(parts, before, maxBytes);
  if (!excess.ok) return excess;
  const removed = await removeAbandoned(parts, writing);
  const shrunk = removed.ok ? await shrinkFile(parts) : removed;
  return shrunk.ok ? ok(expired.value + excess.value) : shrunk;
};

/**
 * An artifact that is looked for by its commit is offered to a client, so its grace begins anew. What a crash left
 * half-written is removed in the background. Where a share is full, those of its owner go at once that only jobs named which
 * were removed.
 */
export const createArtifactTable = (given: Given): ArtifactStore => {
  const parts = { ...given, shares: createShareTable(given.db) };
  const writing: Writing = new Set();
  void removeAbandoned(parts, writing);
  return {
    begin: (gitSha, share) => begin(parts, writing, { gitSha, share }),
    findBySha: (gitSha, owner) => findBySha(parts, gitSha, owner ?? null),
    open: (id) => openArtifact(parts, id),
    read: (id) => readArtifact(parts.db, id),
    deleteUnused: (retention) => deleteUnused(parts, writing, retention),
    measure: () => measureArtifacts(parts.db),
  };
};
