import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../../../../base/result.ts";
import type { ArtifactShare, ShareExceeded } from "../../../core/store.ts";

const LEAST_BYTES = 64 * 1024;

const HELD = `select ifnull(sum(max(size, ${LEAST_BYTES})), 0) as bytes
  from artifacts indexed by artifacts_by_owner where owner = ? and is_awaited = 1`;

const WITHDRAW_SPENT = `update artifacts set is_complete = 0, owner = null
  where owner = ? and is_awaited = 1 and is_complete = 1 and is_claimed = 1 and not exists
  (select 1 from jobs indexed by jobs_artifact where artifact_id = artifacts.id) and not exists
  (select 1 from jobs indexed by jobs_input where details ->> '$.inputId' = +artifacts.id)`;

/** `check`: whether so many bytes more fit into the share. `withdrawSpent` takes out what was named by jobs that are all removed, and says how many. */
export type ShareTable = Readonly<{
  check: (share: ArtifactShare, bytes: number) => Result<void, ShareExceeded>;
  withdrawSpent: (owner: string) => number;
}>;

/** What no job waits for any more does not count. An artifact counts as sent, and as 64 KiB at least, so that many small ones are no way round. */
export const createShareTable = (db: Database): ShareTable => {
  const held = db.query<{ bytes: number }, [string]>(HELD);
  const withdraw = db.query(WITHDRAW_SPENT);
  return {
    check: ({ owner, maxBytes }, bytes) => {
      const askedBytes = (held.get(owner)?.bytes ?? 0) + bytes;
      if (askedBytes <= maxBytes) return ok(undefined);
      return err({ kind: "exceeded", message: `${owner} has no room for it`, askedBytes, maxBytes });
    },
    withdrawSpent: (owner) => withdraw.run(owner).changes,
  };
};
