import { createHash, randomBytes } from "node:crypto";
import { ok, type Result } from "../../shared/result.ts";
import { replaceTokenDigest } from "../external/sqlite/replace-token.ts";

const TOKEN_BYTES = 32;

/** The new token; only its digest is kept. */
export const rotateToken = (serverDir: string): Result<string, Readonly<{ message: string }>> => {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const replaced = replaceTokenDigest(serverDir, createHash("sha256").update(token).digest("hex"));
  return replaced.ok ? ok(token) : replaced;
};
