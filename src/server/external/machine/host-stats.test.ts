import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHostStats } from "./host-stats.ts";

const clock = (): number => 1000;

test("the figures of this machine make sense", async () => {
  const { disk, network, system } = await createHostStats({ serverDir: tmpdir(), clock }).read(false);
  expect(disk?.total).toBeGreaterThan(0);
  expect((disk?.used ?? 0) + (disk?.free ?? 0)).toBeLessThanOrEqual(disk?.total ?? 0);
  expect(disk?.percent_used).toBeWithin(0, 100.1);
  expect(system?.cpu_percent).toBeWithin(0, 100.1);
  expect(system?.memory_percent).toBeWithin(0, 100.1);
  expect(system?.uptime).toBeGreaterThan(0);
  expect(system?.load_avg).toHaveLength(3);
  expect(network).toBeNull();
});

test("a folder that is not there leaves the disk unknown", async () => {
  const serverDir = join(tmpdir(), "no-such-folder", "here");
  const { disk, system } = await createHostStats({ serverDir, clock }).read(false);
  expect(disk).toBeNull();
  expect(system).not.toBeNull();
});

test("what somebody should see to is there while there is something, and looked for anew after a minute", async () => {
  let now = 1000;
  let warnings: readonly string[] = ["a"];
  const stats = createHostStats({ serverDir: tmpdir(), clock: () => now, listWarnings: () => warnings });
  expect((await stats.read(false)).warnings).toEqual(["a"]);
  warnings = [];
  expect((await stats.read(false)).warnings).toEqual(["a"]);
  now += 60;
  expect(await stats.read(false)).not.toHaveProperty("warnings");
});

test("of the server's disk and the root's the fuller counts", async () => {
  const both = await createHostStats({ serverDir: tmpdir(), root: "/proc", clock }).read(false);
  const own = await createHostStats({ serverDir: tmpdir(), root: tmpdir(), clock }).read(false);
  const swapped = await createHostStats({ serverDir: "/proc", root: tmpdir(), clock }).read(false);
  expect(own.disk?.percent_used).toBeGreaterThan(0);
  expect([both.disk?.place, swapped.disk?.place]).toEqual(["server_dir", "/"]);
});

test("the network is measured once a minute at most, however often anyone asks", async () => {
  let now = 1000;
  let measured = 0;
  const measureNetwork = async () => ({ ping: ++measured, download_speed: null, upload_speed: null });
  const stats = createHostStats({ serverDir: tmpdir(), clock: () => now, measureNetwork });
  for (const time of [1000, 1059, 1060, 1061]) {
    now = time;
    await stats.read(true);
  }
  expect(measured).toBe(2);
});

test("a network or GPUs that hang are answered as unknown in time, and told once they have answered", async () => {
  const network = Promise.withResolvers<{ ping: number; download_speed: null; upload_speed: null }>();
  const stats = createHostStats({
    serverDir: tmpdir(),
    clock,
    measureNetwork: () => network.promise,
    readGpus: () => Promise.withResolvers<never>().promise,
  });
  const first = await stats.read(false);
  expect([first.network, first.gpus]).toEqual([null, null]);
  expect(first.system).not.toBeNull();
  network.resolve({ ping: 5, download_speed: null, upload_speed: null });
  expect((await stats.read(false)).network).toEqual({ ping: 5, download_speed: null, upload_speed: null });
});

test("figures are kept until they are asked for anew", async () => {
  const stats = createHostStats({ serverDir: tmpdir(), clock });
  const first = await stats.read(false);
  expect((await stats.read(false)).system).toBe(first.system);
  expect((await stats.read(true)).system).not.toBe(first.system);
});
