import { type LibcPointer, openLibc, readErrno } from "./sockets/open-libc.ts";

type Libc = Readonly<{ flock: (fd: number, operation: number) => number; __errno_location: () => LibcPointer }>;

const EXCLUSIVE_AT_ONCE = 6;
const WOULD_BLOCK = 11;

/**
 * False where another process holds the open folder. The kernel frees it when `fd` is closed or its process ends, however it ends. Where
 * there are no such locks (macOS, some network file systems) it is true.
 */
export const takeFlock = (fd: number): boolean => {
  const libc = openLibc<Libc>({
    flock: { args: ["i32", "i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  if (!libc.ok || libc.value.flock(fd, EXCLUSIVE_AT_ONCE) === 0) return true;
  return readErrno(libc.value.__errno_location()) !== WOULD_BLOCK;
};
