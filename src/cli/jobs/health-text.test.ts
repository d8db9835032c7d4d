import { expect, test } from "bun:test";
import type { Health } from "../../wire/node.ts";
import { describeIllHealth } from "./health-text.ts";

const GIB = 1024 ** 3;

const createHealth = (diskUsed: number, cpu: number, more: Partial<Health> = {}): Health => ({
  alive: true,
  status: "under_load",
  score: 61.6,
  disk: { total: 100 * GIB, used: diskUsed * GIB, free: (100 - diskUsed) * GIB, percent_used: diskUsed },
  network: null,
  system: { cpu_percent: cpu, memory_percent: 40, uptime: 1, load_avg: [1, 1, 1] },
  ...more,
});

test("a machine that is not healthy is described by what is to blame", () => {
  expect(describeIllHealth(createHealth(97, 5, { status: "unhealthy", score: 30 }))).toBe(
    "the machine is unhealthy (30 of 100): disk 97 % used, 3.0 GiB free",
  );
  expect(describeIllHealth(createHealth(50, 99))).toBe("the machine is under load (62 of 100): cpu 99 % busy");
  const network = { download_speed: 3, upload_speed: 1, ping: 180 };
  expect(describeIllHealth(createHealth(10, 5, { network }))).toEndWith("ping 180 ms, download 3 Mbit/s");
});

test("all figures are given where none stands out, none for what is not known", () => {
  expect(describeIllHealth(createHealth(55, 60))).toEndWith(
    "disk 55 % used, 45.0 GiB free, cpu 60 % busy, memory 40 % used",
  );
  expect(describeIllHealth(createHealth(99, 99, { status: "healthy" }))).toBeNull();
  expect(describeIllHealth(createHealth(99, 99, { status: null }))).toBeNull();
});
