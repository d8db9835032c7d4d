import { createHash, randomBytes } from "node:crypto";

const TOKEN_BYTES = 32;

export const drawToken = (): string => randomBytes(TOKEN_BYTES).toString("base64url");

/** SHA-256 in lower-case hexadecimal: what is kept of a token, too. */
export const digestText = (text: string): string => createHash("sha256").update(text).digest("hex");
