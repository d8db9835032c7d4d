import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nameSharedFileSystem } from "./shared-folder.ts";

test("folders of this machine are not shared, also those that are not there yet", () => {
  expect(nameSharedFileSystem("/proc")).toBeNull();
  expect(nameSharedFileSystem(join(tmpdir(), "not", "there", "yet"))).toBeNull();
});
