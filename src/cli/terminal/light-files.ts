/** Of an open file: whether it is a character device, and of which kind; null when it is closed. `node:fs` loads longer. */
export const readDevice = async (descriptor: number): Promise<number | null> => {
  const status = await Bun.file(descriptor)
    .stat()
    .catch(() => null);
  return status?.isCharacterDevice() === true ? status.rdev : null;
};

/** Null when there is no such file; whatever else is wrong is thrown. */
export const readTextFile = async (path: string): Promise<string | null> => {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
};

/** Pieces as they come, of a pipe or a socket; of a file it would begin at its beginning. */
export const streamInput = (): ReadableStream<Uint8Array> => Bun.stdin.stream();

const SIZE_LIMIT_MS = 1000;

/** Of the terminal that standard output is; null where that is not known. `process.stdout` takes 10 ms to open. */
export const readColumns = (): number | null => {
  try {
    const { stdout } = Bun.spawnSync(["stty", "size"], { stdin: Bun.stdout, stdout: "pipe", timeout: SIZE_LIMIT_MS });
    return Number(/^\d+ (\d+)/.exec(stdout.toString())?.[1]) || null;
  } catch {
    return null;
  }
};
