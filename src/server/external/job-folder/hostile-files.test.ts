import { expect, onTestFinished, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId } from "../../core/jobs/job.ts";
import { readStartFailure, readTextIfThere } from "../screen/job-files.ts";
import { createJobDirectory } from "./job-directory.ts";
import { locateJobFiles } from "./job-paths.ts";
import { createLogFile } from "./log-file.ts";

const ID = "abc" as JobId;

const createFolder = () => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-hostile-"));
  onTestFinished(() => void spawnSync("rm", ["-rf", serverDir]));
  mkdirSync(join(serverDir, "jobs", ID), { recursive: true });
  writeFileSync(join(serverDir, "secret.key"), "secret");
  return { serverDir, paths: locateJobFiles(serverDir, ID) };
};

type Plant = readonly [what: string, plant: (path: string, serverDir: string) => void];

const PLANTS: readonly Plant[] = [
  ["a pipe", (path) => void spawnSync("mkfifo", [path])],
  ["a link to a secret", (path, serverDir) => symlinkSync(join(serverDir, "secret.key"), path)],
  ["a link to itself", (path) => symlinkSync(path, path)],
  ["a folder", (path) => mkdirSync(path)],
  ["a device", (path) => symlinkSync("/dev/zero", path)],
];

test.each(PLANTS)("%s in the place of a job's file is neither waited for nor followed", async (_what, plant) => {
  const { serverDir, paths } = createFolder();
  for (const path of [paths.outputLog, paths.exitCode, paths.errorLog]) plant(path, serverDir);
  const logs = createLogFile(serverDir);
  expect(await logs.readTail(ID, 5)).toEqual(new Uint8Array());
  expect(await new Response(logs.follow(ID, null, () => true)).text()).toBe("");
  expect(readTextIfThere(paths.exitCode)).toBeNull();
  expect(readStartFailure(paths)).toBeNull();
});

test("a job's file of a gigabyte is not read as a whole", async () => {
  const { serverDir, paths } = createFolder();
  for (const path of [paths.outputLog, paths.exitCode]) {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 30);
  }
  expect(readTextIfThere(paths.exitCode)).toHaveLength(64 * 1024);
  const logs = createLogFile(serverDir);
  expect(await logs.readTail(ID, 1)).toHaveLength(10 * 1024 * 1024);
  expect(await logs.readTail(ID, null)).toHaveLength(10 * 1024 * 1024);
});

test("folders deeper than a path may be long are removed, and what their links lead to stays", async () => {
  const { serverDir, paths } = createFolder();
  const kept = join(serverDir, "kept");
  mkdirSync(kept);
  writeFileSync(join(kept, "file"), "");
  mkdirSync(paths.repo);
  writeFileSync(paths.artifact, "");
  symlinkSync(kept, join(paths.repo, "link"));
  const dig = "import os\nfor _ in range(1500): os.mkdir('deep'); os.chdir('deep')\nos.chmod('.', 0)";
  expect(spawnSync("python3", ["-c", dig], { cwd: paths.repo }).status).toBe(0);
  await createJobDirectory(serverDir).removeRepo(ID);
  expect(spawnSync("ls", ["-A", paths.dir]).stdout.toString()).toBe("");
  expect(readTextIfThere(join(kept, "file"))).toBe("");
  rmSync(kept, { recursive: true });
});
