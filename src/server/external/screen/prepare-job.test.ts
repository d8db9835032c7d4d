import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStartingJob } from "../../../../tests/support/screen-bench.ts";
import { JOB_FILES, locateJobFiles } from "../job-folder/job-paths.ts";
import { prepareJob } from "./prepare-job.ts";

let folder: string;
let outside: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-prepare-"));
  outside = join(folder, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "outside");
});

afterEach(() => rmSync(folder, { recursive: true }));

const PLANTS: readonly (readonly [string, (path: string) => void])[] = [
  ["a pipe", (path) => void spawnSync("mkfifo", [path])],
  ["a folder", (path) => mkdirSync(path)],
  ["a link to a file", (path) => symlinkSync(join(outside, "file"), path)],
  ["a link to a folder", (path) => symlinkSync(outside, path)],
];

test.each(PLANTS)(
  "%s that an earlier attempt left in the place of any file holds up no further one",
  async (_what, plant) => {
    const job = createStartingJob();
    const paths = locateJobFiles(folder, job.id);
    mkdirSync(paths.dir, { recursive: true });
    const names = Object.values(JOB_FILES).filter((name) => name !== JOB_FILES.pendingExitCode);
    for (const name of names) for (const end of ["", ".new"]) plant(join(paths.dir, name + end));
    await prepareJob(paths, job, { artifact: [Buffer.from("code")], input: null, devices: {} });
    expect(readFileSync(paths.artifact, "utf8")).toBe("code");
    expect(JSON.parse(readFileSync(paths.record, "utf8"))).toMatchObject({ id: job.id });
    expect([paths.repo, paths.outputs].map((path) => readdirSync(path))).toEqual([[], []]);
    expect(readdirSync(outside)).toEqual(["file"]);
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("outside");
  },
);
