import { ok, type Result } from "../../../shared/result.ts";
import { changeServerFolder } from "./change-folder.ts";
import { TOKEN_DIGEST } from "./settings-table.ts";

/** Puts the digest in the place of the stored one, also while a server runs on the folder: it is good from its next request on. */
export const replaceTokenDigest = (serverDir: string, digest: string): Result<void, Readonly<{ message: string }>> =>
  changeServerFolder(serverDir, (db) => {
    db.query("insert or replace into settings values (?, ?)").run(TOKEN_DIGEST, digest);
    return ok(undefined);
  });
