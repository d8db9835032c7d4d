import type { Database } from "bun:sqlite";
import { ROLES } from "../../../core/access/access.ts";
import type { AccessToken } from "../../../core/access/access-token.ts";
import type { AgentLimits } from "../../../core/jobs/agent-limits.ts";
import type { Store } from "../../../core/store.ts";
import { guardRead } from "../guard-reads.ts";

export type TokenRow = Readonly<{
  name: string;
  role: string;
  created_at: number;
  expires_at: number | null;
  limits: string | null;
}>;

export const COLUMNS = "name, role, created_at, expires_at, limits";

export const readRow = ({ name, role, created_at, expires_at, limits }: TokenRow): readonly AccessToken[] =>
  ROLES.filter((known) => known === role).map((known) => ({
    name,
    role: known,
    createdAt: created_at,
    expiresAt: expires_at,
    ...(limits === null ? {} : { limits: JSON.parse(limits) as AgentLimits }),
  }));

/** A token whose role this program does not know is as good as none. */
export const createTokenReads = (db: Database): Pick<Store, "findToken"> => {
  const find = db.query<TokenRow, [string]>(`select ${COLUMNS} from tokens where digest = ?`);
  return {
    findToken: guardRead((digest) => {
      const row = find.get(digest);
      return (row === null ? undefined : readRow(row)[0]) ?? null;
    }),
  };
};
