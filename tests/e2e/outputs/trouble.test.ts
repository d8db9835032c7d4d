import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chownSync,
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
import { canBeOthers, runScriptAs } from "../../support/as-user.ts";
import { ROOT, stopChild } from "../../support/programs.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DISK_MIB = 16;
const SETTINGS = { NS_REFRESH_RATE: "0.3" };

describe.skipIf(!canMount)("what a job made", () => {
  let disk: SmallDisk;
  let world: World;

  beforeEach(async () => {
    disk = createSmallDisk(DISK_MIB);
    world = await createWorld();
    symlinkSync(join(disk.path, "server"), join(world.folder, "server"));
    mkdirSync(join(disk.path, "server/jobs"));
  });

  afterEach(async () => {
    try {
      disk.makeRoom();
      await world.dispose();
    } finally {
      disk.dispose();
    }
  });

  const inJob = (name: string): string => join(disk.path, "server/jobs/a", name);
  const go = (): void => writeFileSync(join(world.folder, "go"), "");
  const start = (): Promise<unknown> =>
    world.submit({
      job_id: "a",
      command: `mkdir sub; echo made > sub/file; until [ -e ${join(world.folder, "go")} ]; do sleep 0.02; done`,
      num_gpus: 0,
    });

  const findMade = (): readonly string[] =>
    ["repo", "outputs"].map((name) => inJob(`${name}/sub/file`)).filter((path) => existsSync(path));

  const waitUntilKept = async (): Promise<void> => {
    await waitUntil(async () => (await world.job("a")).outputs.state === "kept", "it is kept");
    expect(findMade()).toEqual([inJob("outputs/sub/file")]);
    expect(readFileSync(inJob("outputs/sub/file"), "utf8")).toBe("made\n");
  };

  test("stays while the disk is full, and is kept once there is room", async () => {
    await world.startServer(SETTINGS);
    await start();
    await waitUntil(() => existsSync(inJob("repo/sub/file")), "it is made");
    disk.fill();
    go();
    await waitUntil(() => existsSync(inJob("exit_code")), "its end is recorded");
    expect(findMade()).toHaveLength(1);
    disk.makeRoom();
    await waitUntilKept();
  });

  test("stays in a folder that can't be written, which the job says in one line, and is kept by a later start", async () => {
    const first = await world.startServer(SETTINGS);
    await start();
    await waitUntil(() => existsSync(inJob("repo/sub/file")), "it is made");
    await stopChild(first, "SIGKILL");
    go();
    await waitUntil(() => existsSync(inJob("exit_code")), "its end is recorded");
    disk.setReadOnly(true, "server/jobs");
    const second = await world.startServer(SETTINGS);
    await waitUntil(async () => (await world.job("a")).outputs.state === "failed", "it is said");
    const { status, notes } = await world.job("a");
    expect(status).toBe("completed");
    expect(notes).toEqual([expect.stringMatching(/^Its files could not be kept: .*EROFS: read-only file system/)]);
    expect(findMade()).toEqual([inJob("repo/sub/file")]);
    const listed = await fetch(`${world.url}/v1/jobs/a/files`);
    expect(await listed.json()).toMatchObject({ files: [{ path: "sub/file", size: 5 }] });
    await stopChild(second, "SIGTERM");
    disk.setReadOnly(false, "server/jobs");
    await world.startServer(SETTINGS);
    await waitUntilKept();
  });
});

const OWNER = 54_321;

const KEEP = `
const { createJobOutputs } = await import(process.argv[2]);
const kept = await createJobOutputs(process.argv[3]).keep({ id: "a", status: "completed", outputGlobs: null });
console.log(JSON.stringify(kept));
`;

test.skipIf(!canBeOthers)(
  "what a job made and gave to another user is not lost: it stays, and that is said in one line",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "nexus-others-"));
    try {
      chownSync(folder, OWNER, OWNER);
      const repo = join(folder, "jobs/a/repo");
      for (const path of ["jobs", "jobs/a", "jobs/a/outputs", "jobs/a/repo", "jobs/a/repo/theirs"])
        mkdirSync(join(folder, path));
      for (const path of ["mine", "theirs/file", "root-file"]) writeFileSync(join(repo, path), path);
      for (const path of ["jobs", "jobs/a", "jobs/a/outputs", "jobs/a/repo", "jobs/a/repo/mine"])
        chownSync(join(folder, path), OWNER, OWNER);
      const module = join(ROOT, "src/server/external/job-folder/outputs/job-outputs.ts");
      const printed = await runScriptAs(OWNER, folder, KEEP, module, folder);
      expect(JSON.parse(printed)).toEqual({ ok: false, error: { message: "theirs/file: EACCES: permission denied" } });
      expect(readFileSync(join(repo, "theirs/file"), "utf8")).toBe("theirs/file");
      expect(readFileSync(join(folder, "jobs/a/outputs/mine"), "utf8")).toBe("mine");
      expect(readFileSync(join(folder, "jobs/a/outputs/root-file"), "utf8")).toBe("root-file");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
