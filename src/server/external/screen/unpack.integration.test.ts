import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAbility } from "../../../../tests/support/ability.ts";
import {
  type Bench,
  createBench,
  createStartingJob,
  launchJob,
  readJobFile,
  waitForEnd,
} from "../../../../tests/support/screen-bench.ts";
import { createTar, type TarMember } from "../../../../tests/support/tar-archive.ts";
import type { ArtifactId } from "../../core/jobs/job.ts";
import { deriveLaunchToken } from "../../core/jobs/launch-token.ts";

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const splitUnevenly = (bytes: Uint8Array): readonly Uint8Array[] => [
  bytes.slice(0, 1),
  bytes.slice(1, 700),
  bytes.slice(700),
];

const unpack = async (archive: Uint8Array, command = "true") => {
  const job = await launchJob(
    bench,
    createStartingJob({ command, artifactId: "a" as ArtifactId }),
    {},
    splitUnevenly(archive),
  );
  const observation = await waitForEnd(bench, job);
  const dir = join(bench.serverDir, "jobs", job.id);
  return { observation, job, dir, repo: join(dir, "repo") };
};

const good: readonly TarMember[] = [
  { name: "./", type: "5", mode: 0o000 },
  { name: "a/", type: "5", mode: 0o755 },
  { name: "a/run me.sh", mode: 0o777, body: "echo ran" },
  { name: "-rf", body: "dash" },
  { name: "é🚀", body: "emoji" },
  { name: "in", type: "2", link: "a/run me.sh" },
];

const compress = (program: string) => (bytes: Uint8Array) => spawnSync(program, ["-c"], { input: bytes }).stdout;

const tryDevice = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-device-"));
  try {
    return spawnSync("mknod", [join(folder, "null"), "c", "1", "3"]).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const canMakeDevices = checkAbility(tryDevice(), "leave to make device nodes");

describe("an artifact", () => {
  test.each([
    ["plain", (bytes: Uint8Array): Uint8Array => bytes],
    ["gzip", compress("gzip")],
    ["zstd", compress("zstd")],
  ])("%s is unpacked into repo/ before the command, and its copy removed", async (_, pack) => {
    const { observation, dir, repo, job } = await unpack(
      pack(createTar(good)),
      "cat -- -rf é🚀; bash 'a/run me.sh'; umask",
    );
    expect(observation).toMatchObject({ kind: "exited", exitCode: 0, processesLeft: 0 });
    expect(readJobFile(bench, job, "output.log")).toContain("dashemojiran\r\n0022\r\n");
    expect(lstatSync(join(repo, "a/run me.sh")).mode & 0o7777).toBe(0o755);
    expect(existsSync(join(dir, "artifact"))).toBe(false);
  });

  test("absolute names and .. are never written", async () => {
    const outside = join(bench.serverDir, "outside");
    const { repo, dir } = await unpack(
      createTar([
        { name: outside, body: "x" },
        { name: "../up", body: "x" },
        { name: "a/../../up", body: "x" },
        { name: "kept", body: "x" },
        { name: "x..y", body: "x" },
      ]),
    );
    expect(readdirSync(repo).sort()).toEqual(["kept", "x..y"]);
    expect([existsSync(outside), existsSync(join(dir, "up"))]).toEqual([false, false]);
  });

  test("a link out of repo/ is never followed", async () => {
    const { observation, dir } = await unpack(
      createTar([
        { name: "out", type: "2", link: ".." },
        { name: "out/exit_code", body: "0" },
        { name: "out/evil", body: "x" },
      ]),
      "touch ../ran",
    );
    expect(observation).toEqual({
      kind: "lost",
      reason: expect.stringMatching(/^Could not unpack the artifact: tar: /),
    });
    for (const name of ["evil", "exit_code", "ran"]) expect(existsSync(join(dir, name))).toBe(false);
  });

  test("a hard link to a file outside is refused", async () => {
    const { observation } = await unpack(createTar([{ name: "passwd", type: "1", link: "/etc/passwd" }]));
    expect(observation.kind).toBe("lost");
  });

  test("pipes and setuid bits do not survive", async () => {
    const { observation, repo } = await unpack(
      createTar([
        { name: "pipe", type: "6" },
        { name: "setuid", mode: 0o6755, body: "x" },
        { name: "folder/", type: "5", mode: 0o3777 },
      ]),
    );
    expect(observation).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(readdirSync(repo).sort()).toEqual(["folder", "setuid"]);
    for (const name of readdirSync(repo)) expect(lstatSync(join(repo, name)).mode & 0o7000).toBe(0);
  });

  test.skipIf(!canMakeDevices)("device nodes do not survive", async () => {
    const { observation, repo } = await unpack(
      createTar([
        { name: "device", type: "3" },
        { name: "block", type: "4" },
        { name: "kept", body: "x" },
      ]),
    );
    expect(observation).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(readdirSync(repo)).toEqual(["kept"]);
  });

  test.each([
    ["cut short", createTar(good).slice(0, 1540)],
    ["no archive", Buffer.from("hello ".repeat(500))],
  ])("%s, it keeps the command from running and gives the reason in one line", async (_, archive) => {
    const { observation, dir, job } = await unpack(archive, "touch ../ran");
    expect(observation).toEqual({
      kind: "lost",
      reason: expect.stringMatching(/^Could not unpack the artifact: [^\n]+$/),
    });
    expect(readFileSync(join(dir, "error.log"), "utf8")).toContain("Could not unpack");
    expect(readJobFile(bench, job, "exit_code")).toBe("");
    expect([existsSync(join(dir, "ran")), existsSync(join(dir, "artifact"))]).toEqual([false, false]);
  });
});

describe("the list of what was unpacked", () => {
  const listFiles = (dir: string): readonly string[] => {
    const lines = readFileSync(join(dir, "manifest"), "utf8").split("\0");
    expect(lines.splice(-2)).toEqual(["end", ""]);
    return lines.toSorted();
  };

  const describeFile = (dir: string, path: string): string => {
    const entry = lstatSync(join(dir, path), { bigint: true });
    const [mtime, ctime] = [entry.mtimeNs, entry.ctimeNs].map(
      (ns) => `${ns / 10n ** 9n}.${String(ns % 10n ** 9n).padStart(9, "0")}0`,
    );
    return `${entry.isSymbolicLink() ? "l" : "f"} ${entry.ino} ${entry.size} ${mtime} ${ctime} ${path}`;
  };

  test("has each file and link as it lay there when the command began, those with a special bit too", async () => {
    const { dir } = await unpack(
      createTar([...good, { name: "a/setuid", mode: 0o4755, body: "x" }]),
      "cat ../manifest",
    );
    const paths = ["repo/a/run me.sh", "repo/-rf", "repo/é🚀", "repo/in", "repo/a/setuid"];
    expect(listFiles(dir)).toEqual(paths.map((path) => describeFile(dir, path)).toSorted());
  });

  test("is older than all that the command makes, however soon, even the same in size and time", async () => {
    const command = "cp -p -- -rf kept && printf DASH > ./-rf && touch -r kept -- ./-rf";
    const before = await unpack(createTar(good));
    const { dir } = await unpack(createTar(good), command);
    const find = (folder: string): string => listFiles(folder).find((line) => line.endsWith(" repo/-rf")) ?? "";
    expect(find(before.dir)).toBe(describeFile(before.dir, "repo/-rf"));
    expect(find(dir)).not.toBe(describeFile(dir, "repo/-rf"));
    const written = Number(lstatSync(join(dir, "manifest"), { bigint: true }).mtimeNs);
    expect(Number(lstatSync(join(dir, "repo/-rf"), { bigint: true }).ctimeNs)).toBeGreaterThan(written);
  });
});

test("the folder of what a job makes is there for its command, by its whole name", async () => {
  const { dir, observation } = await unpack(
    createTar(good),
    `echo 1 > "$NEXUS_OUTPUT_DIR/a" && cd "$NEXUS_OUTPUT_DIR" && [[ -e ../repo/in ]]`,
  );
  expect(observation).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(dir, "outputs/a"), "utf8")).toBe("1\n");
});

test("what the command of an earlier launch left is set aside when its job is launched again", async () => {
  const first = await unpack(createTar(good), 'echo 1 > made; echo 2 > "$NEXUS_OUTPUT_DIR/kept"');
  rmSync(join(first.dir, `claim-${deriveLaunchToken(first.job)}`));
  writeFileSync(join(first.dir, "gpu_use"), "3\n");
  const again = await launchJob(bench, { ...createStartingJob(), id: first.job.id, command: "[[ ! -e made ]]" });
  expect(await waitForEnd(bench, again)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(first.dir, "attempts/1/repo/made"), "utf8")).toBe("1\n");
  expect(readFileSync(join(first.dir, "attempts/1/outputs/kept"), "utf8")).toBe("2\n");
  expect(readFileSync(join(first.dir, "attempts/1/gpu_use"), "utf8")).toBe("3\n");
  expect(readdirSync(join(first.dir, "outputs"))).toEqual([]);
});
