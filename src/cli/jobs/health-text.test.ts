import { expect, test } from "bun:test";
import type { Health } from "../../wire/node.ts";
import { describeIllHealth, listHealthWarnings, nameHealth } from "./health-text.ts";

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

test("only a disk that fills up is a warning, whatever else the machine does", () => {
  expect(describeIllHealth(createHealth(97, 5, { status: "unhealthy", score: 30 }))).toBe(
    "the machine is unhealthy (30 of 100): disk 97 % used, 3.0 GiB free",
  );
  expect(describeIllHealth(createHealth(91, 99))).toBe("the disk is nearly full: 91 % used, 9.0 GiB free");
  const root = { ...createHealth(92, 1).disk, place: "/" } as NonNullable<Health["disk"]>;
  expect(describeIllHealth(createHealth(92, 1, { disk: root }))).toStartWith("the disk / is nearly full: ");
  const network = { download_speed: 3, upload_speed: 1, ping: 180 };
  for (const status of ["under_load", "unhealthy"] as const)
    expect(describeIllHealth(createHealth(85, 100, { status, score: 20, network }))).toBeNull();
  for (const status of ["healthy", null] as const)
    expect(describeIllHealth(createHealth(99, 99, { status }))).toBeNull();
});

test("a machine under load is busy", () => {
  expect(nameHealth(createHealth(50, 99))).toBe("busy");
  expect(nameHealth(createHealth(50, 99, { status: "unhealthy", score: 20 }))).toBe("busy");
  expect(nameHealth(createHealth(50, 1, { status: "healthy" }))).toBe("healthy");
  expect(nameHealth(createHealth(91, 1))).toBe("disk nearly full");
  expect(nameHealth(createHealth(96, 1, { status: "unhealthy" }))).toBe("unhealthy");
  expect(nameHealth(createHealth(96, 1, { status: null }))).toBe("unknown");
});

test("what the server says that somebody should see to is shown safe for a terminal", () => {
  expect(listHealthWarnings(createHealth(1, 1))).toEqual([]);
  expect(listHealthWarnings(createHealth(1, 1, { warnings: ["a\u001b[2J"] }))).toEqual(["a\\x1b[2J"]);
});
