import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobId } from "../../core/jobs/job.ts";
import { createJobDirectory } from "./job-directory.ts";

const id = "abc123" as JobId;
let serverDir: string;

beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), "nexus-folder-"));
});

afterEach(() => {
  spawnSync("chmod", ["-R", "u+rwx", serverDir]);
  rmSync(serverDir, { recursive: true, force: true });
});

const fill = (): string => {
  const repo = join(serverDir, "jobs", id, "repo");
  mkdirSync(join(repo, "deep/deeper"), { recursive: true });
  writeFileSync(join(serverDir, "jobs", id, "output.log"), "log");
  writeFileSync(join(serverDir, "jobs", id, "artifact"), "");
  writeFileSync(join(serverDir, "precious"), "kept");
  writeFileSync(join(repo, "deep/deeper/file"), "x");
  symlinkSync(serverDir, join(repo, "link"));
  return repo;
};

describe("createJobDirectory", () => {
  test("names an absolute folder", () => {
    expect(createJobDirectory(serverDir).pathOf(id)).toBe(join(serverDir, "jobs", id));
  });

  test("removes repo/ and nothing else, though its folders are read-only and a link leads out", async () => {
    const repo = fill();
    for (const folder of ["deep/deeper", "deep", "."]) chmodSync(join(repo, folder), 0o500);
    await createJobDirectory(serverDir).removeRepo(id);
    expect(existsSync(repo)).toBe(false);
    expect(readFileSync(join(serverDir, "precious"), "utf8")).toBe("kept");
    expect(readFileSync(join(serverDir, "jobs", id, "output.log"), "utf8")).toBe("log");
  });

  test("a repo/ that is a link is removed, what it leads to is not", async () => {
    mkdirSync(join(serverDir, "jobs", id), { recursive: true });
    mkdirSync(join(serverDir, "elsewhere/inside"), { recursive: true });
    symlinkSync(join(serverDir, "elsewhere"), join(serverDir, "jobs", id, "repo"));
    writeFileSync(join(serverDir, "jobs", id, "artifact"), "");
    await createJobDirectory(serverDir).removeRepo(id);
    expect(existsSync(join(serverDir, "jobs", id, "repo"))).toBe(false);
    expect(existsSync(join(serverDir, "elsewhere/inside"))).toBe(true);
  });

  test("removes the whole folder, and what is not there", async () => {
    fill();
    const directory = createJobDirectory(serverDir);
    await directory.remove(id);
    await directory.remove(id);
    await directory.removeRepo(id);
    expect(existsSync(directory.pathOf(id))).toBe(false);
    expect(await directory.list()).toEqual([]);
  });

  test("a folder is out of the way at once, so that its name may be taken again while it is removed", async () => {
    fill();
    const directory = createJobDirectory(serverDir);
    const removed = directory.remove(id);
    mkdirSync(directory.pathOf(id));
    await removed;
    expect(await directory.list()).toEqual([id]);
  });

  test("lists none where no job has run, and what a removal left", async () => {
    const directory = createJobDirectory(serverDir);
    expect(await directory.list()).toEqual([]);
    fill();
    mkdirSync(join(serverDir, "jobs", ".removed-1"));
    expect(new Set<string>(await directory.list())).toEqual(new Set([".removed-1", id]));
  });
});
