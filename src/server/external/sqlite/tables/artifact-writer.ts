import type { Database } from "bun:sqlite";
import { ok, type Result } from "../../../../base/result.ts";
import type { Clock } from "../../../core/clock.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Unavailable } from "../../../core/refusal.ts";
import type { ArtifactWriter } from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import { createRowBuffer, type Row, type RowBuffer } from "./row-buffer.ts";

/** `release` ends the writing and is false when it had ended; `discard` removes what was written. */
export type WriterParts = Readonly<{
  db: Database;
  commits: GroupCommit;
  clock: Clock;
  id: ArtifactId;
  gitSha: string | null;
  discard: () => Promise<unknown>;
  release: () => boolean;
}>;

const ROW_BYTES = 512 * 1024;

const BEGIN = "insert into artifacts (id, git_sha, created_at, last_offered_at) values ($id, $git_sha, $now, $now)";
const COMPLETE = "update artifacts set is_complete = 1, size = $size, last_offered_at = $now where id = $id";

const insertRow = ({ db, clock, id, gitSha }: WriterParts, { position, data }: Row): void => {
  if (position === 0) db.query(BEGIN).run({ id, git_sha: gitSha, now: clock() });
  db.query("insert into artifact_chunks values (?, ?, ?)").run(id, position, data);
};

const appendRows = async (
  parts: WriterParts,
  rows: RowBuffer,
  chunk: Uint8Array,
): Promise<Result<void, Unavailable>> => {
  for (let rest = chunk; rest.length > 0; ) {
    rest = rows.add(rest);
    if (!rows.isFull()) continue;
    const row = rows.take();
    const written = await parts.commits.write(() => insertRow(parts, row));
    if (!written.ok) return written;
  }
  return ok(undefined);
};

const completeArtifact = (parts: WriterParts, rows: RowBuffer): Promise<Result<ArtifactId, Unavailable>> => {
  const last = rows.take();
  return parts.commits.write(() => {
    insertRow(parts, last);
    parts.db.query(COMPLETE).run({ id: parts.id, size: rows.countBytes(), now: parts.clock() });
    return parts.id;
  });
};

/** Holds one row of the artifact at most, whatever the size of what is appended. */
export const createArtifactWriter = (parts: WriterParts): ArtifactWriter => {
  const rows = createRowBuffer(ROW_BYTES);
  return {
    append: (chunk) => appendRows(parts, rows, chunk),
    finish: async () => {
      const finished = await completeArtifact(parts, rows);
      parts.release();
      return finished;
    },
    abort: async () => {
      if (parts.release() && rows.countTaken() > 0) await parts.discard();
    },
  };
};
