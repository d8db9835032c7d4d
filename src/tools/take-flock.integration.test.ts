import { expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeFlock } from "./take-flock.ts";

test("a folder is held by one until it is closed, and nothing is left in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-lock-"));
  const open = (): number => openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const [first, second] = [open(), open()];
  try {
    expect([takeFlock(first), takeFlock(second)]).toEqual([true, false]);
    closeSync(first);
    expect(takeFlock(second)).toBe(true);
  } finally {
    closeSync(second);
    rmSync(folder, { recursive: true });
  }
});

test("what can't be locked counts as one's own", () => {
  expect(takeFlock(9999)).toBe(true);
});
