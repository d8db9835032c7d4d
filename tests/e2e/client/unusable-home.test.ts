import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../../support/small-disk.ts";

let disk: SmallDisk;
let repository: string;

beforeEach(() => {
  disk = createSmallDisk(1);
  repository = mkdtempSync(join(tmpdir(), "nexus-home-"));
});

afterEach(() => {
  disk.dispose();
  rmSync(repository, { recursive: true, force: true });
});

const nx = (words: readonly string[]): Promise<Finished> => {
  const { NEXUS_AUTOSTART: _never, ...env } = createUserEnvironment(disk.path);
  return runProgram([NX, ...words], { env: { ...env, SHELL: "/bin/bash", EDITOR: "true" }, cwd: repository });
};

const expectOneLine = ({ exitCode, stderr }: Finished, told: RegExp): void => {
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(told)]);
  expect(
    stderr
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("nx: ")),
  ).toHaveLength(1);
  expect(stderr).not.toContain("unexpected");
  expect(stderr).not.toMatch(/^ +at /m);
};

const WRITING = [
  ["queue"],
  ["run", "-c", "--no-git", "true"],
  ["env", "set", "KEY=value"],
  ["jobrc", "edit"],
  ["setup", "--non-interactive", "--user", "ada"],
  ["completion", "install"],
];

describe.skipIf(!canMount)("a home", () => {
  test.each(WRITING.map((words) => [words] as const))(
    "that is read-only is told by nx %j in one line",
    async (words) => {
      disk.setReadOnly(true);
      expectOneLine(await nx(words), /can't be written, as its file system is read-only: set HOME to a folder/);
    },
  );

  test.each(WRITING.map((words) => [words] as const))("that is full is told by nx %j in one line", async (words) => {
    mkdirSync(join(disk.path, ".nexus"));
    disk.fill();
    expectOneLine(await nx(words), /can't be written, as its disk is full: make room in HOME/);
  });

  test("that is read-only does for what writes nothing", async () => {
    disk.setReadOnly(true);
    expect((await nx(["target", "list"])).exitCode).toBe(0);
    expect((await nx(["config"])).exitCode).toBe(0);
  });
});
