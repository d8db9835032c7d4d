import { closeSync, readSync } from "node:fs";
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
