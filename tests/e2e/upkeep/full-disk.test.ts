import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, statfsSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DISK_MIB = 16;
const MIB = 1024 * 1024;
const SETTINGS = { NS_REFRESH_RATE: "0.3", NS_MAX_CPU_JOBS: "9" };
const FULL = "its disk is full";

let disk: SmallDisk;
let world: World;

beforeEach(async () => {
  if (!canMount) return;
  disk = createSmallDisk(DISK_MIB);
  world = await createWorld();
  symlinkSync(join(disk.path, "server"), join(world.folder, "server"));
});

afterEach(async () => {
  if (!canMount) return;
  try {
    disk.setReadOnly(false);
    disk.makeRoom();
    await world.dispose();
  } finally {
    disk.dispose();
  }
});

const at = (name: string): string => join(world.folder, name);

const inJob = (id: string, name: string): string => join(world.folder, "server", "jobs", id, name);

const submit = (id: string, command: string, fields: Readonly<Record<string, unknown>> = {}) =>
  world.submit({ job_id: id, command, num_gpus: 0, ...fields });

const resultOf = async (id: string): Promise<unknown> => {
  const job = await world.waitFor(id);
  return [job.status, job.exit_code];
};

const send = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${world.url}/v1${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const sendArtifact = (bytes: Uint8Array): Promise<Response> =>
  fetch(`${world.url}/v1/artifacts`, { method: "POST", body: bytes });

const tar = async (files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> => new Bun.Archive(files).bytes();

const upload = async (bytes: Uint8Array): Promise<string> =>
  ((await (await sendArtifact(bytes)).json()) as { data: string }).data;

const giveLogRoom = async (): Promise<void> => {
  await upload(randomBytes(5 * MIB));
};

const waitForGo = (exitCode: number): string =>
  `until [ -e ${at("go")} ]; do echo waiting; sleep 0.02; done; exit ${exitCode}`;

const go = (): void => writeFileSync(at("go"), "");

const listWrites = (): readonly Promise<Response>[] => [
  send("POST", "/jobs", { user: "t", command: "true", jobrc: "x".repeat(60_000) }),
  send("POST", "/jobs/batch", [{ user: "t", command: "true", jobrc: "x".repeat(60_000) }]),
  sendArtifact(randomBytes(MIB)),
  send("PATCH", "/jobs/waits", { priority: 3 }),
  send("DELETE", "/jobs/waits"),
  send("POST", "/jobs/runs/kill"),
  send("DELETE", "/gpus/0/blacklist"),
];

describe.skipIf(!canMount)("a full disk", () => {
  test("is told for every write, ends no job and loses none, and is over once there is room", async () => {
    await world.startServer(SETTINGS);
    await send("PUT", "/gpus/0/blacklist");
    await send("PUT", "/gpus/1/blacklist");
    await submit("runs", waitForGo(7));
    const artifact = await upload(await tar({ "code.sh": Buffer.from("exit 5") }));
    await submit("waits", "bash code.sh", { num_gpus: 1, artifact_id: artifact });
    await waitUntil(() => existsSync(inJob("runs", "started")), "it runs");
    disk.fill();
    for (const write of listWrites()) {
      const response = await write;
      expect([response.status, await response.json()]).toEqual([
        503,
        { error: "UNAVAILABLE", message: expect.stringContaining(FULL), status_code: 503 },
      ]);
    }
    go();
    await waitUntil(() => existsSync(inJob("runs", "exit_code")), "its end is recorded");
    expect((await world.job("waits")).status).toBe("queued");
    disk.makeRoom();
    expect(await resultOf("runs")).toEqual(["failed", 7]);
    await send("DELETE", "/gpus/0/blacklist");
    expect(await resultOf("waits")).toEqual(["failed", 5]);
  });

  test("keeps a job that can't have its folder from starting, across a restart, and not from starting later", async () => {
    const first = await world.startServer(SETTINGS);
    await giveLogRoom();
    await submit("runs", waitForGo(7));
    await waitUntil(() => existsSync(inJob("runs", "started")), "it runs");
    disk.fill();
    await submit("early", "exit 4");
    await waitUntil(async () => (await world.job("early")).started_at !== null, "it is tried");
    await stopChild(first, "SIGKILL");
    await world.startServer(SETTINGS);
    expect((await world.job("runs")).status).toBe("running");
    expect(["queued", "running"]).toContain((await world.job("early")).status);
    disk.makeRoom();
    expect(await resultOf("early")).toEqual(["failed", 4]);
    go();
    expect(await resultOf("runs")).toEqual(["failed", 7]);
  });

  test("fails a job whose files do not fit with the reason, and gives their room back", async () => {
    await world.startServer(SETTINGS);
    const files = await tar({ large: new Uint8Array(DISK_MIB * MIB) });
    await submit("large", "true", { artifact_id: await upload(gzipSync(files)) });
    const job = await world.waitFor("large");
    expect(job).toMatchObject({ status: "failed", exit_code: null });
    expect(job.error_message).toMatch(/^Could not unpack the artifact: .*No space left on device/);
    await waitUntil(() => !existsSync(inJob("large", "repo")), "its files are gone");
    expect(await (await sendArtifact(randomBytes(MIB))).json()).toEqual({ data: expect.any(String) });
  });

  test("that a job's own output fills does not end the job: it has its real result", async () => {
    await world.startServer(SETTINGS);
    await giveLogRoom();
    await submit("talks", `head -c ${DISK_MIB * MIB} /dev/zero | tr '\\0' x; ${waitForGo(9)}`);
    await waitUntil(() => statfsSync(disk.path).bavail === 0, "the disk is full");
    go();
    await waitUntil(() => existsSync(inJob("talks", "exit_code")), "its end is recorded");
    truncateSync(inJob("talks", "output.log"), 100);
    expect(await resultOf("talks")).toEqual(["failed", 9]);
  });
});

describe.skipIf(!canMount)("a read-only folder", () => {
  test("keeps jobs waiting when it is that of the jobs, until it can be written again", async () => {
    mkdirSync(join(disk.path, "server", "jobs"));
    await world.startServer(SETTINGS);
    disk.setReadOnly(true, "server/jobs");
    await submit("early", "exit 4");
    await waitUntil(async () => (await world.job("early")).started_at !== null, "it is tried");
    disk.setReadOnly(false, "server/jobs");
    expect(await resultOf("early")).toEqual(["failed", 4]);
  });

  test("is told in one line at the start, and the next start finds all", async () => {
    await stopChild(await world.startServer({ ...SETTINGS, NS_MAX_CPU_JOBS: "0" }), "SIGTERM");
    disk.setReadOnly(true);
    const refused = await runProgram([...SERVER], { env: world.env, cwd: world.home });
    expect([refused.exitCode, refused.stderr.trim().split("\n")]).toEqual([1, [expect.stringContaining("read-only")]]);
    disk.setReadOnly(false);
    await world.startServer(SETTINGS);
    await submit("a", "true");
    expect(await resultOf("a")).toEqual(["completed", 0]);
  });
});
