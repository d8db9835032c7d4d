import { closeSync, fstatSync, readSync } from "node:fs";
import type { Sink } from "./read-file.ts";

const isSameAt = (fd: number, bytes: Uint8Array, at: number): boolean => {
  const own = Buffer.alloc(bytes.length);
  let read = 0;
  while (read < own.length) {
    const count = readSync(fd, own, read, own.length - read, at + read);
    if (count === 0) return false;
    read += count;
  }
  return own.equals(bytes);
};

const PIECE = 1 << 20;

/** Whether two open files have the same content. */
export const hasSameContent = (fd: number, other: number): boolean => {
  const { size } = fstatSync(fd);
  const found = fstatSync(other);
  if (!found.isFile() || found.size !== size) return false;
  const piece = Buffer.alloc(PIECE);
  for (let at = 0; at < size; ) {
    const count = readSync(fd, piece, 0, PIECE, at);
    if (count === 0 || !isSameAt(other, piece.subarray(0, count), at)) return false;
    at += count;
  }
  return true;
};

/** Wants a file only as long as it is the same as the open one. */
export const createComparison = (fd: number): Sink & Readonly<{ close: () => void }> => {
  let size = 0;
  let known: string | null = null;
  return {
    size: () => size,
    tag: () => known,
    begin: (tag) => {
      known = tag;
      size = 0;
    },
    write: (bytes, at) => {
      if (!isSameAt(fd, bytes, at)) return false;
      size = at + bytes.length;
      return true;
    },
    close: () => closeSync(fd),
  };
};
