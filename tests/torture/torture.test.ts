import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SCHEMA_VERSION } from "../../src/server/external/sqlite/migrate.ts";
import { stopChild } from "../support/programs.ts";
import { createWorld } from "../support/world.ts";
import { createHistory, readRunOptions } from "./history.ts";
import { createRandom } from "./random.ts";
import { runTorture } from "./run.ts";
import { drawDeath } from "./server-process.ts";
import { drawStories } from "./stories.ts";

const OPTIONS = { seed: 7, kills: 20, leastJobs: 20, minutes: 0.5, clients: 2, gpus: 4, killsBetweenDrains: 20 };

const plan = (seed: number): string => {
  const stories = drawStories(createRandom(seed), { client: 0, run: "t", gpus: 4, mayResist: true });
  const random = createRandom(seed);
  return JSON.stringify([Array.from({ length: 100 }, () => [stories.next().value, drawDeath(random)])]);
};

describe("the torture", () => {
  test("a server that dies again and again loses nothing, runs nothing twice and leaves nothing", async () => {
    const lines: string[] = [];
    const outcome = await runTorture(OPTIONS, (line) => void lines.push(line));
    expect([outcome.findings, lines.filter((line) => line.startsWith("FINDING"))]).toEqual([[], []]);
    expect(outcome.kills).toBeGreaterThan(2);
    expect(outcome.jobs).toBeGreaterThan(10);
    expect(outcome.steps).toMatchObject({ "migration made": SCHEMA_VERSION, "migration committed": 1 });
    expect(Object.keys(outcome.steps)).toEqual(expect.arrayContaining(["warning written", "halt written"]));
    expect(existsSync(outcome.folder)).toBe(false);
  }, 120_000);

  test("has the same plan for the same seed, and another for another", () => {
    expect(plan(5)).toBe(plan(5));
    expect(plan(5)).not.toBe(plan(6));
  });

  test("can be replayed from the history that it kept", () => {
    const folder = mkdtempSync(join(tmpdir(), "nexus-history-"));
    try {
      const { path, add } = createHistory(join(folder, "history.jsonl"));
      add({ kind: "run", options: OPTIONS });
      add({ kind: "finding", what: "lost: a" });
      expect(readRunOptions(path)).toEqual(OPTIONS);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("the server's own program knows no step to die at", async () => {
    const world = await createWorld();
    try {
      const server = await world.startServer({ NS_TORTURE_DIE_AT: "change committed:1" });
      const job = await world.submit({ command: "echo [$NS_TORTURE_DIE_AT]" });
      expect((await world.waitFor(job.id)).exit_code).toBe(0);
      const log = readFileSync(join(world.folder, "server", "jobs", job.id, "output.log"), "utf8");
      expect(log).toContain("[]");
      await stopChild(server, "SIGTERM");
    } finally {
      await world.dispose();
    }
  });
});
