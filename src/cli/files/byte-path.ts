import { escapeText } from "../../base/escape-text.ts";
import type { WireFile } from "../../wire/files.ts";

/** A path as the server has it, a character for each byte, as names need be no UTF-8. */
export type BytePath = string;

export const encodeBytes = (path: BytePath): Buffer => Buffer.from(path, "latin1");

export const readBytePath = ({ path, raw }: Pick<WireFile, "path" | "raw">): BytePath =>
  Buffer.from(raw ?? path, raw === null ? "utf8" : "base64").toString("latin1");

/** Where a link leads, as the server has it; null where that can't be a link's target. */
export const readByteTarget = ({
  target,
  raw_target: raw,
}: Pick<WireFile, "target" | "raw_target">): BytePath | null => {
  if (target === null || (raw === undefined && target.includes("\ufffd"))) return null;
  const bytes = readBytePath({ path: target, raw: raw ?? null });
  return bytes === "" || bytes.includes("\0") ? null : bytes;
};

/** On one line, and harmless for a terminal. */
export const showPath = (path: BytePath): string => escapeText(encodeBytes(path).toString("utf8"));

/** As the end of an address. */
export const encodePath = (path: BytePath): string =>
  path.replaceAll(/[^A-Za-z0-9_.~/-]/g, (byte) => {
    const digits = byte.charCodeAt(0).toString(16).toUpperCase();
    return `%${digits.padStart(2, "0")}`;
  });

const isName = (name: string): boolean => !["", ".", ".."].includes(name) && !name.includes("\0");

/** The names on the way, at least one; null where the way leads out of the folder that it begins in, or is none. */
export const splitPath = (path: BytePath): readonly string[] | null => {
  const names = path.split("/");
  return names.every(isName) ? names : null;
};
