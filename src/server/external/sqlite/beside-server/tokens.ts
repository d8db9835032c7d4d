import type { Database } from "bun:sqlite";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import type { AccessToken } from "../../../core/access/access-token.ts";
import { COLUMNS, readRow, type TokenRow } from "../tables/token-table.ts";
import { changeServerFolder } from "./server-folder.ts";

type Changed<Value> = Result<Value, Problem>;

const listAll = (db: Database): readonly AccessToken[] =>
  db.query<TokenRow, []>(`select ${COLUMNS} from tokens order by name`).all().flatMap(readRow);

const nameAll = (db: Database): string =>
  listAll(db)
    .map(({ name }) => name)
    .join(", ") || "none";

export const listTokens = (serverDir: string): Changed<readonly AccessToken[]> =>
  changeServerFolder(serverDir, (db) => ok(listAll(db)));

/** Good from the next request on, also while a server runs on the folder. */
export const addToken = (serverDir: string, token: AccessToken & Readonly<{ digest: string }>): Changed<void> =>
  changeServerFolder(serverDir, (db) => {
    const { name, role, digest, createdAt, expiresAt, limits = null } = token;
    const kept = limits === null ? null : JSON.stringify(limits);
    const insert = db.query(`insert or ignore into tokens (digest, ${COLUMNS}) values (?, ?, ?, ?, ?, ?)`);
    return insert.run(digest, name, role, createdAt, expiresAt, kept).changes > 0
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
