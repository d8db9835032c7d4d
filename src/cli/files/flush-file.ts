import { fdatasync, fsync } from "node:fs";
import { promisify } from "node:util";

/** Brings an open file to its disk: `begin` some of it while it grows, `finish` all of it, which throws what any of that met. */
export type Flush = Readonly<{ begin: (size: number) => void; finish: () => Promise<void> }>;

const STEP_BYTES = 64 * 1024 * 1024;

const flushFile = promisify(fdatasync);

export const createFlush = (fd: number): Flush => {
  let flushed = 0;
  let running: Promise<void> | null = null;
  let met: { readonly error: unknown } | null = null;
  const flush = async (): Promise<void> => {
    await flushFile(fd).catch((error: unknown) => {
      met ??= { error };
    });
    running = null;
  };
  const begin = (size: number): void => {
    if (running !== null || size - flushed < STEP_BYTES) return;
    flushed = size;
    running = flush();
  };
  const finish = async (): Promise<void> => {
    await running;
    await flush();
    if (met !== null) throw met.error;
  };
  return { begin, finish };
};

/** Brings the names in an open folder to its disk, where its file system can. */
export const flushFolder = (fd: number): Promise<void> => promisify(fsync)(fd).catch(() => undefined);
