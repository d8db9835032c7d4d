import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { err, ok, type Result } from "../../shared/result.ts";

/** Seals with AES-256-GCM: 12 bytes of nonce, 16 of tag, then the ciphertext. */
export type SecretBox = Readonly<{ seal: (text: string) => Uint8Array; open: (sealed: Uint8Array) => string }>;

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const createKeyFile = (path: string): void => {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "wx", 0o600);
  writeSync(file, randomBytes(KEY_BYTES));
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
};

export const createSecretBox = (key: Uint8Array): SecretBox => ({
  seal: (text) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]);
  },
  open: (sealed) => {
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  },
});

/** Makes the key file, mode 0600, when there is none. */
export const loadSecretBox = (path: string): Result<SecretBox, Readonly<{ message: string }>> => {
  if (!existsSync(path)) createKeyFile(path);
  const key = readFileSync(path);
  if (key.length === KEY_BYTES) return ok(createSecretBox(key));
  return err({ message: `${path} is not a key of ${KEY_BYTES} bytes: restore it from your backup` });
};
