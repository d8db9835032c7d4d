import { type BigIntStats, close, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

/** An open file. Closing it twice is closing it once; one that is forgotten stays open, and harms nothing else. */
export type Descriptor = Readonly<{
  fd: number;
  stat: () => Promise<BigIntStats>;
  read: (buffer: Uint8Array, position: number) => Promise<number>;
  close: () => Promise<void>;
}>;

const [openFd, closeFd] = [promisify(open), promisify(close)];

export const openDescriptor = async (path: string | Buffer, flags: number): Promise<Descriptor> => {
  const fd = await openFd(path, flags);
  let closing: Promise<void> | null = null;
  return {
    fd,
    stat: () =>
      new Promise((resolve, reject) =>
        fstat(fd, { bigint: true }, (error, found) => (error === null ? resolve(found) : reject(error))),
      ),
    read: (buffer, position) =>
      new Promise((resolve, reject) =>
        read(fd, buffer, 0, buffer.length, position, (error, count) =>
          error === null ? resolve(count) : reject(error),
        ),
      ),
    close: () => {
      closing ??= closeFd(fd);
      return closing;
    },
  };
};
