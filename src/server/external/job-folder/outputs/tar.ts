import type { ByteText } from "../../../core/running/outputs.ts";
import { encodeText } from "./folder.ts";

export type TarEntry = Readonly<{
  path: ByteText;
  kind: "file" | "link";
  target: ByteText;
  size: number;
  mode: number;
  mtime: number;
}>;

const BLOCK = 512;
const LONGEST_FIELD = 100;
const LARGEST_OCTAL = 8 ** 11;
const LARGE_NUMBER = 0x80;
const LONG_NAME = "././@LongLink";
const [CHECKSUM_AT, SIZE_AT] = [148, 124];

const writeOctal = (header: Buffer, value: number, at: number, length: number): void => {
  header.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
};

const writeSize = (header: Buffer, size: number): void => {
  if (size < LARGEST_OCTAL) {
    writeOctal(header, size, SIZE_AT, 12);
    return;
  }
  header.writeUInt8(LARGE_NUMBER, SIZE_AT);
  header.writeBigUInt64BE(BigInt(size), SIZE_AT + 4);
};

type Header = Readonly<{ name: ByteText; link: ByteText; type: string; size: number; mode: number; mtime: number }>;

const writeHeader = ({ name, link, type, size, mode, mtime }: Header): Buffer => {
  const header = Buffer.alloc(BLOCK);
  header.write(name.slice(0, LONGEST_FIELD), 0, "latin1");
  for (const [value, at] of [
    [mode, 100],
    [0, 108],
    [0, 116],
  ] as const)
    writeOctal(header, value, at, 8);
  writeSize(header, size);
  writeOctal(header, Math.max(0, Math.floor(mtime)), 136, 12);
  header.write(`        ${type}`, CHECKSUM_AT, "latin1");
  header.write(link.slice(0, LONGEST_FIELD), 157, "latin1");
  header.write("ustar  \0", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  writeOctal(header, sum, CHECKSUM_AT, 7);
  header.writeUInt8(0, CHECKSUM_AT + 6);
  return header;
};

/** What makes the length whole blocks. */
export const padBlocks = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

export const TAR_END: Uint8Array = new Uint8Array(BLOCK * 2);

const writeLong = (text: ByteText, type: "L" | "K"): readonly Uint8Array[] => {
  if (text.length <= LONGEST_FIELD) return [];
  const bytes = encodeText(`${text}\0`);
  const header = { name: LONG_NAME, link: "", type, size: bytes.length, mode: 0, mtime: 0 };
  return [writeHeader(header), bytes, padBlocks(bytes.length)];
};

/** The head of a file in the form of GNU tar, which takes names of any length and any bytes; its bytes and `padBlocks` follow. */
export const writeTarHead = ({ path, kind, target, size, mode, mtime }: TarEntry): Uint8Array => {
  const type = kind === "link" ? "2" : "0";
  const head = writeHeader({ name: path, link: target, type, size, mode, mtime });
  return Buffer.concat([...writeLong(target, "K"), ...writeLong(path, "L"), head]);
};
