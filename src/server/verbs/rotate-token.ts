import { ok, type Result } from "../../base/result.ts";
import { digestToken, drawToken } from "../../tools/digest.ts";
import { replaceTokenDigest } from "../external/sqlite/beside-server/server-folder.ts";

/** The new token; only its digest is kept. */
export const rotateToken = (serverDir: string): Result<string, Readonly<{ message: string }>> => {
  const token = drawToken();
  const replaced = replaceTokenDigest(serverDir, digestToken(token));
  return replaced.ok ? ok(token) : replaced;
};
