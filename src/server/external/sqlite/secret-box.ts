import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { replaceFile } from "../../../tools/replace-file.ts";

/** Seals with AES-256-GCM: 12 bytes of nonce, 16 of tag, then the ciphertext. `open` throws on what another key sealed. */
export type SecretBox = Readonly<{ seal: (text: string) => Uint8Array; open: (sealed: Uint8Array) => string }>;

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PRIVATE = 0o600;

export const createSecretBox = (key: Uint8Array): SecretBox => ({
  seal: (text) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]);
  },
  open: (sealed) => {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  },
});

const readKey = (path: string): Uint8Array => {
  if (!existsSync(path)) replaceFile(path, randomBytes(KEY_BYTES), PRIVATE);
  chmodSync(path, PRIVATE);
  return readFileSync(path);
};

/** Makes the key file, mode 0600, when there is none; one writer at a time. */
export const loadSecretBox = (path: string): Result<SecretBox, Problem> => {
  try {
    const key = readKey(path);
    if (key.length === KEY_BYTES) return ok(createSecretBox(key));
    return err({ message: `${path} is not a key of ${KEY_BYTES} bytes: restore it from your backup` });
  } catch (error) {
    return err({ message: `${path} can't be used: ${describeError(error)}` });
  }
};
