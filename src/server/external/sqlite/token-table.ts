import type { Database } from "bun:sqlite";
import { err, ok, type Result } from "../../../shared/result.ts";
import { ROLES } from "../../core/access.ts";
import type { AccessToken } from "../../core/access-token.ts";
import type { Store } from "../../core/ports.ts";
import { changeServerFolder } from "./change-folder.ts";
import { guardRead } from "./guard-reads.ts";

type Row = Readonly<{ name: string; role: string; created_at: number; expires_at: number | null }>;
type Changed<Value> = Result<Value, Readonly<{ message: string }>>;

const COLUMNS = "name, role, created_at, expires_at";

const readRow = ({ name, role, created_at, expires_at }: Row): readonly AccessToken[] =>
  ROLES.filter((known) => known === role).map((known) => ({
    name,
    role: known,
    createdAt: created_at,
    expiresAt: expires_at,
  }));

/** A token whose role this program does not know is as good as none. */
export const createTokenReads = (db: Database): Pick<Store, "findToken"> => {
  const find = db.query<Row, [string]>(`select ${COLUMNS} from tokens where digest = ?`);
  return {
    findToken: guardRead((digest) => {
      const row = find.get(digest);
      return (row === null ? undefined : readRow(row)[0]) ?? null;
    }),
  };
};

const listAll = (db: Database): readonly AccessToken[] =>
  db.query<Row, []>(`select ${COLUMNS} from tokens order by name`).all().flatMap(readRow);

const nameAll = (db: Database): string =>
  listAll(db)
    .map(({ name }) => name)
    .join(", ") || "none";

export const listTokens = (serverDir: string): Changed<readonly AccessToken[]> =>
  changeServerFolder(serverDir, (db) => ok(listAll(db)));

/** Good from the next request on, also while a server runs on the folder. */
export const addToken = (serverDir: string, token: AccessToken & Readonly<{ digest: string }>): Changed<void> =>
  changeServerFolder(serverDir, (db) => {
    const { name, role, digest, createdAt, expiresAt } = token;
    const insert = db.query("insert or ignore into tokens values (?, ?, ?, ?, ?)");
    return insert.run(name, role, digest, createdAt, expiresAt).changes > 0
      ? ok(undefined)
      : err({
          message: `there is a token of ${name} already: revoke it first, with nexus-server token revoke ${name}`,
        });
  });

/** Refused from the next request on, also while a server runs on the folder. */
export const revokeToken = (serverDir: string, name: string): Changed<void> =>
  changeServerFolder(serverDir, (db) =>
    db.query("delete from tokens where name = ?").run(name).changes > 0
      ? ok(undefined)
      : err({ message: `there is no token of ${JSON.stringify(name)}; there are: ${nameAll(db)}` }),
  );
