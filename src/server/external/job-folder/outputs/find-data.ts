import { openLibc } from "../../../../tools/sockets/open-libc.ts";
import type { ByteRange } from "../../../core/running/outputs.ts";

type Libc = Readonly<{ lseek: (fd: number, offset: number, whence: number) => bigint }>;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const SMALLEST_HOLE = 4 * 1024 * 1024;
const MOST_LOOKS = 1000;

const openSeek = (): Libc["lseek"] | null => {
  const libc = openLibc<Libc>({ lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  return libc.ok && process.platform === "linux" ? libc.value.lseek : null;
};

let opened: Readonly<{ lseek: Libc["lseek"] | null }> | null = null;

/** The first bytes of an open file's range that are no large hole, up to the next large one; the last byte where all of it is a hole. */
export const findData = (fd: number, { from, to }: ByteRange): ByteRange => {
  opened ??= { lseek: openSeek() };
  const { lseek } = opened;
  if (lseek === null) return { from, to };
  const seek = (at: number, whence: number): number => {
    const found = at < to ? Number(lseek(fd, at, whence)) : to;
    return found < 0 || found > to ? to : found;
  };
  const first = seek(from, SEEK_DATA);
  const start = first - from < SMALLEST_HOLE ? from : Math.min(first, to - 1);
  let end = seek(first, SEEK_HOLE);
  for (let look = 1; look < MOST_LOOKS && end < to; look += 1) {
    const next = seek(end, SEEK_DATA);
    if (next - end >= SMALLEST_HOLE) break;
    end = seek(next, SEEK_HOLE);
  }
  return { from: start, to: Math.max(end, start + 1) };
};
