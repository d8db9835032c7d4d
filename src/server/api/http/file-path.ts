import type { ByteText } from "../../core/running/outputs.ts";

const PERCENT = /%([0-9a-fA-F]{2})/g;

const isPart = (part: string): boolean => part !== "" && part !== "." && part !== "..";

/** A path below a folder; null for one that leads elsewhere, or nowhere. */
export const checkFilePath = (path: ByteText): ByteText | null =>
  path.includes("\0") || !path.split("/").every(isPart) ? null : path;

/** What the end of an address names, byte for byte. */
export const readFilePath = (encoded: string): ByteText | null =>
  checkFilePath(encoded.replaceAll(PERCENT, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))));
