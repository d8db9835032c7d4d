import { fstatSync, readSync } from "node:fs";

/** Whether an open file has these bytes there. */
export const isSameAt = (fd: number, bytes: Uint8Array, at: number): boolean => {
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
