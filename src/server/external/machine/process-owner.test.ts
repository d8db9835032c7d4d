import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { createProcessOwners } from "./process-owner.ts";

test("a live process has a user and a program, one that is not there has none", async () => {
  const find = createProcessOwners();
  const child = Bun.spawn(["sleep", "60"]);
  try {
    await waitUntil(async () => (await find(child.pid))?.program === "sleep", "it runs");
    expect(await find(child.pid)).toEqual({
      user: execFileSync("id", ["-un"], { encoding: "utf8" }).trim(),
      program: "sleep",
    });
  } finally {
    child.kill();
    await child.exited;
  }
  expect(await find(child.pid)).toBeNull();
});
