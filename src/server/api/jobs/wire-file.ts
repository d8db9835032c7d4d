import type { WireFile, WireFiles } from "../../../wire/files.ts";
import type { ByteText, FilePage, ListedFile } from "../../core/running/outputs.ts";

const toBytes = (text: ByteText): Uint8Array => Buffer.from(text, "latin1");

const decode = (text: ByteText): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(text));

export const encodePath = (text: string): ByteText => Buffer.from(text, "utf8").toString("latin1");

const encodeRaw = (text: ByteText): string | null => (encodePath(decode(text)) === text ? null : btoa(text));

const describeFile = ({ path, kind, size, stored, mode, mtime, target }: ListedFile): WireFile => ({
  path: decode(path),
  size,
  mtime,
  type: kind,
  target: target === null ? null : decode(target),
  raw: encodeRaw(path),
  raw_target: target === null ? null : encodeRaw(target),
  ...(kind === "file" ? { mode, stored } : {}),
});

export const toWireFiles = ({ files, total }: FilePage): WireFiles => ({
  files: files.map(describeFile),
  total_files: total.files,
  total_bytes: total.bytes,
});

/** Of a header that names the file to save; only what every reader of headers takes as it is. */
export const nameAttachment = (path: ByteText): string => {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const encoded = name.replaceAll(/[^A-Za-z0-9._-]/g, (byte) => {
    const code = byte.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(2, "0")}`;
  });
  return `attachment; filename*=UTF-8''${encoded}`;
};
