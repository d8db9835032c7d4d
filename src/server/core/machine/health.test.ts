import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { scoreHealth } from "./health.ts";

type Stats = Parameters<typeof scoreHealth>[0];

const diskAt = (percentUsed: number): Stats["disk"] => ({ total: 100, used: 0, free: 0, percent_used: percentUsed });
const networkAt = (ping: number, download: number): NonNullable<Stats["network"]> => ({
  download_speed: download,
  upload_speed: 0,
  ping,
});
const systemAt = (cpu: number, memory: number): Stats["system"] => ({
  cpu_percent: cpu,
  memory_percent: memory,
  uptime: 1,
  load_avg: [0, 0, 0],
});

const BEST: Stats = { disk: diskAt(0), network: networkAt(10, 1000), system: systemAt(0, 0) };
const percent = fc.double({ min: 0, max: 100, noNaN: true });
const positive = fc.double({ min: 0, max: 10_000, noNaN: true });
const anyStats: fc.Arbitrary<Stats> = fc.record({
  disk: fc.option(percent.map(diskAt)),
  network: fc.option(fc.tuple(positive, positive).map(([ping, download]) => networkAt(ping, download))),
  system: fc.option(fc.tuple(percent, percent).map(([cpu, memory]) => systemAt(cpu, memory))),
});

describe("scoreHealth", () => {
  test.each([
    ["nothing used", BEST, 100, "healthy"],
    ["half the disk used", { ...BEST, disk: diskAt(50) }, 80, "healthy"],
    ["80 % of the disk used", { ...BEST, disk: diskAt(80) }, 68, "under_load"],
    ["81 % of the disk used counts half", { ...BEST, disk: diskAt(81) }, 63.8, "under_load"],
    ["85 % of the disk used counts half", { ...BEST, disk: diskAt(85) }, 63, "under_load"],
    ["90 % of the disk used", { ...BEST, disk: diskAt(90) }, 62, "under_load"],
    ["91 % of the disk used counts a fifth", { ...BEST, disk: diskAt(91) }, 60.72, "under_load"],
    ["95 % of the disk used counts a fifth", { ...BEST, disk: diskAt(95) }, 60.4, "under_load"],
    ["a full disk caps the whole", { ...BEST, disk: diskAt(96) }, 30, "unhealthy"],
    ["a ping of 50 ms", { ...BEST, network: networkAt(50, 100) }, 100, "healthy"],
    ["a ping of 125 ms", { ...BEST, network: networkAt(125, 100) }, 92.5, "healthy"],
    ["a ping of 200 ms", { ...BEST, network: networkAt(200, 100) }, 85, "healthy"],
    ["half the good download speed", { ...BEST, network: networkAt(10, 50) }, 92.5, "healthy"],
    ["a busy processor", { ...BEST, system: systemAt(100, 0) }, 85, "healthy"],
    ["no free memory", { ...BEST, system: systemAt(0, 100) }, 85, "healthy"],
    ["an unknown network is left out", { ...BEST, network: null, disk: diskAt(50) }, (50 / 70) * 100, "under_load"],
    [
      "a ping alone",
      { disk: null, network: { ...networkAt(125, 0), download_speed: null }, system: null },
      50,
      "under_load",
    ],
    ["only the system known", { disk: null, network: null, system: systemAt(50, 100) }, 25, "unhealthy"],
    ["the least of a healthy machine", { disk: null, network: null, system: systemAt(25, 25) }, 75, "healthy"],
    ["less than that", { disk: null, network: null, system: systemAt(25.5, 25.5) }, 74.5, "under_load"],
    ["the least of a loaded machine", { disk: null, network: null, system: systemAt(60, 60) }, 40, "under_load"],
    ["even less than that", { disk: null, network: null, system: systemAt(60.5, 60.5) }, 39.5, "unhealthy"],
    ["nothing known", { disk: null, network: null, system: null }, 100, "healthy"],
  ] as const)("%s", (_name, stats, score, status) => {
    const health = scoreHealth(stats);
    expect(health.score).toBeCloseTo(score, 9);
    expect(health.status).toBe(status);
  });

  test("is from 0 to 100, with the status of its score", () => {
    fc.assert(
      fc.property(anyStats, (stats) => {
        const { score, status } = scoreHealth(stats);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
        expect(status).toBe(score >= 75 ? "healthy" : score >= 40 ? "under_load" : "unhealthy");
      }),
    );
  });

  test("never grows as the disk fills", () => {
    fc.assert(
      fc.property(anyStats, percent, percent, (stats, a, b) => {
        const emptier = scoreHealth({ ...stats, disk: diskAt(Math.min(a, b)) }).score;
        const fuller = scoreHealth({ ...stats, disk: diskAt(Math.max(a, b)) }).score;
        expect(fuller).toBeLessThanOrEqual(emptier);
      }),
    );
  });

  test("is capped at 30 above 95 % used, whatever else is known", () => {
    fc.assert(
      fc.property(anyStats, fc.double({ min: 95.001, max: 100, noNaN: true }), (stats, used) => {
        expect(scoreHealth({ ...stats, disk: diskAt(used) }).score).toBeLessThanOrEqual(30);
      }),
    );
  });
});
