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

test("figures are kept until they are asked for anew", async () => {
  const stats = createHostStats({ serverDir: tmpdir(), clock });
  const first = await stats.read(false);
  expect((await stats.read(false)).system).toBe(first.system);
  expect((await stats.read(true)).system).not.toBe(first.system);
});
