import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFlush, flushFolder } from "./flush-file.ts";

const LARGE = 1 << 30;

test("a file is brought to its disk, and one that can't be is told at the end, whenever that was met", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-flush-"));
  try {
    const fd = openSync(join(folder, "a"), "wx");
    writeSync(fd, "text");
    const flush = createFlush(fd);
    flush.begin(LARGE);
    flush.begin(2 * LARGE);
    await flush.finish();
    closeSync(fd);
    flush.begin(3 * LARGE);
    expect(flush.finish()).rejects.toThrow("EBADF");
    await flush.finish().catch(() => undefined);
    expect(createFlush(fd).finish()).rejects.toThrow("EBADF");
    await flushFolder(fd);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
