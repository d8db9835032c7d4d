import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFigure } from "../../support/parse-exposition.ts";
import { stopChild } from "../../support/programs.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import { type DiscordStandIn, startDiscord } from "../../support/stand-ins/discord.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const MIB = 1024 * 1024;
const SETTINGS = { NS_REFRESH_RATE: "0.2", NS_MIN_FREE_GB: "0.05" };
const REASON = /0\.0[\d]+ GB are free on the disk of the server's folder, and min_free_gb is 0\.05/;

let disk: SmallDisk;
let world: World;
let discord: DiscordStandIn;

beforeEach(async () => {
  if (!canMount) return;
  disk = createSmallDisk(100);
  world = await createWorld();
  discord = startDiscord();
  symlinkSync(join(disk.path, "server"), join(world.folder, "server"));
});

afterEach(async () => {
  if (!canMount) return;
  try {
    makeRoom();
    await discord.stop();
    await world.dispose();
  } finally {
    disk.dispose();
  }
});

const locateBallast = (): string => join(disk.path, "ballast");

const fill = (): void => writeFileSync(locateBallast(), new Uint8Array(70 * MIB));

const makeRoom = (): void => rmSync(locateBallast(), { force: true });

const readStatus = async () =>
  (await (await fetch(`${world.url}/v1/server/status`)).json()) as Readonly<{ disk_error?: string }>;

describe.skipIf(!canMount)("a disk with less free than min_free_gb", () => {
  test("starts nothing, says so wherever one asks, and goes on by itself when there is room", async () => {
    await world.startServer(SETTINGS);
    expect(await readStatus()).not.toHaveProperty("disk_error");
    fill();
    const cpu = await world.submit({ command: "true", num_gpus: 0 });
    const gpu = await world.submit({ command: "true", num_gpus: 1 });
    for (const { id } of [cpu, gpu]) expect((await world.nx(["why", id])).stdout).toMatch(REASON);
    expect((await world.nx([])).stderr).toMatch(REASON);
    expect((await readStatus()).disk_error).toMatch(REASON);
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    expect(readFigure(metrics, "nexus_disk_min_free_bytes")).toBe(5e7);
    expect(readFigure(metrics, "nexus_disk_free_bytes")).toBeLessThan(5e7);
    const now = await world.post("/v1/jobs", { user: "t", command: "true", num_gpus: 1, run_immediately: true });
    expect([now.status, await now.json()]).toMatchObject([
      500,
      { error: "GPU_ERROR", message: expect.stringMatching(REASON) },
    ]);
    expect((await world.job(cpu.id)).status).toBe("queued");
    makeRoom();
    for (const { id } of [cpu, gpu]) expect((await world.waitFor(id)).status).toBe("completed");
    expect(await readStatus()).not.toHaveProperty("disk_error");
  });

  test("is told once to the owner of a running job, across a restart too, and the job goes on", async () => {
    const first = await world.startServer(SETTINGS);
    const env = { DISCORD_USER_ID: "42", DISCORD_WEBHOOK_URL: discord.webhookUrl };
    const { id } = await world.submit({ command: "read _", num_gpus: 0, notifications: ["discord"], env });
    await world.waitFor(id, ["running"]);
    fill();
    const isTold = (): boolean => discord.texts().some((text) => text.includes("short of disk space"));
    await waitUntil(isTold, "it is told");
    await waitUntil(async () => {
      const deliveries = await (await fetch(`${world.url}/v1/jobs/${id}/deliveries`)).json();
      return (deliveries as readonly { state: string }[]).every(({ state }) => state === "delivered");
    }, "that is written down");
    await stopChild(first, "SIGKILL");
    await world.startServer(SETTINGS);
    const later = await world.submit({ command: "true", num_gpus: 0 });
    expect((await world.nx(["why", later.id])).stdout).toMatch(REASON);
    expect((await world.job(id)).status).toBe("running");
    makeRoom();
    await world.waitFor(later.id);
    expect(discord.texts()).toEqual([
      expect.stringMatching(new RegExp(`^<@42> Job ${id} started on `)),
      expect.stringMatching(new RegExp(`^<@42> Job ${id} is short of disk space on `)),
    ]);
    expect(discord.messages.size).toBe(2);
  });
});
