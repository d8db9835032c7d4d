import { ok, type Problem, type Result } from "../../base/result.ts";
import { digestText, drawToken } from "../../tools/digest.ts";
import { replaceTokenDigest } from "../external/sqlite/beside-server/server-folder.ts";

/** The new token; only its digest is kept. */
export const rotateToken = (serverDir: string): Result<string, Problem> => {
  const token = drawToken();
  const replaced = replaceTokenDigest(serverDir, digestText(token));
  return replaced.ok ? ok(token) : replaced;
};
