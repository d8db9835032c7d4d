import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Clock } from "../../../core/clock.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type { ArtifactShare, ArtifactWriter, ShareExceeded } from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { ShareTable } from "./artifact-share.ts";
import { packRow, ROW_BYTES } from "./packed-rows.ts";
import { createRowBuffer, type Row, type RowBuffer } from "./row-buffer.ts";

/**
 * `release` ends the writing and is false when it had ended; `discard` removes what was written. `makeRoom` removes what the
 * owner's jobs don't need any more, and is false where there was nothing.
 */
export type WriterParts = Readonly<{
  db: Database;
  commits: GroupCommit;
  clock: Clock;
  id: ArtifactId;
  gitSha: string | null;
  share: ArtifactShare | undefined;
  shares: Pick<ShareTable, "check">;
  makeRoom: (owner: string) => Promise<boolean>;
  discard: () => Promise<unknown>;
  release: () => boolean;
}>;

const BEGIN = `insert into artifacts (id, git_sha, created_at, last_offered_at, owner, is_compressed)
  values ($id, $git_sha, $now, $now, $owner, 1)`;
const GROW = "update artifacts set size = size + $bytes, stored = stored + $stored where id = $id";
const COMPLETE = "update artifacts set is_complete = 1, last_offered_at = $now where id = $id";

type PackedRow = Row & Readonly<{ packed: Uint8Array }>;
type Inserted = Result<void, Unavailable | ShareExceeded>;

const insertRow = (
  { db, clock, id, gitSha, share, shares }: WriterParts,
  { position, data, packed }: PackedRow,
): Result<void, ShareExceeded> => {
  const within = share === undefined ? ok(undefined) : shares.check(share, data.length);
  if (!within.ok) return within;
  if (position === 0) db.query(BEGIN).run({ id, git_sha: gitSha, now: clock(), owner: share?.owner ?? null });
  db.query("insert into artifact_chunks values (?, ?, ?)").run(id, position, packed);
  db.query(GROW).run({ id, bytes: data.length, stored: packed.length });
  return ok(undefined);
};

const tryRow = async (parts: WriterParts, row: PackedRow, complete: () => void): Promise<Inserted> => {
  const written = await parts.commits.write(() => {
    const inserted = insertRow(parts, row);
    if (inserted.ok) complete();
    return inserted;
  });
  return written.ok ? written.value : written;
};

const writeRow = async (parts: WriterParts, taken: Row, complete = (): void => undefined): Promise<Inserted> => {
  const row = { ...taken, packed: await packRow(taken.data) };
  const first = await tryRow(parts, row, complete);
  if (first.ok || first.error.kind !== "exceeded" || parts.share === undefined) return first;
  return (await parts.makeRoom(parts.share.owner)) ? tryRow(parts, row, complete) : first;
};

const appendRows = async (parts: WriterParts, rows: RowBuffer, chunk: Uint8Array): Promise<Inserted> => {
  for (let rest = chunk; rest.length > 0; ) {
    rest = rows.add(rest);
    if (!rows.isFull()) continue;
    const written = await writeRow(parts, rows.take());
    if (!written.ok) return written;
  }
  return ok(undefined);
};

const completeArtifact = async (
  parts: WriterParts,
  rows: RowBuffer,
): Promise<Result<ArtifactId, Unavailable | ShareExceeded>> => {
  const { db, clock, id } = parts;
  const written = await writeRow(parts, rows.take(), () => void db.query(COMPLETE).run({ id, now: clock() }));
  return written.ok ? ok(id) : written;
};

/** Holds one row of the artifact at most, whatever the size of what is appended. */
export const createArtifactWriter = (parts: WriterParts): ArtifactWriter => {
  const rows = createRowBuffer(ROW_BYTES);
  return {
    append: (chunk) => appendRows(parts, rows, chunk),
    finish: async () => {
      const finished = await completeArtifact(parts, rows);
      const isWriting = parts.release();
      if (isWriting && !finished.ok && finished.error.kind === "exceeded") await parts.discard();
      return finished;
    },
    abort: async () => {
      if (parts.release() && rows.countTaken() > 0) await parts.discard();
    },
  };
};
