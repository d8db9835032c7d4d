import { createHash, randomBytes } from "node:crypto";

const TOKEN_BYTES = 32;

export const drawToken = (): string => randomBytes(TOKEN_BYTES).toString("base64url");

/** SHA-256 in lower-case hexadecimal: what is kept of a token. */
export const digestToken = (token: string): string => createHash("sha256").update(token).digest("hex");
