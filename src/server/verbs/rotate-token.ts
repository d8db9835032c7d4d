import { ok, type Result } from "../../shared/result.ts";
import { digestToken, drawToken } from "../api-token.ts";
import { replaceTokenDigest } from "../external/sqlite/replace-token.ts";

/** The new token; only its digest is kept. */
export const rotateToken = (serverDir: string): Result<string, Readonly<{ message: string }>> => {
  const token = drawToken();
  const replaced = replaceTokenDigest(serverDir, digestToken(token));
  return replaced.ok ? ok(token) : replaced;
};
