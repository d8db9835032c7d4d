import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJobUse } from "../../../src/wire/gpus/job-use.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MOCK_GPUS: "4", NS_REFRESH_RATE: "0.2" });
});

afterAll(() => world.dispose());

const play = (...uses: readonly unknown[]): void =>
  writeFileSync(join(world.folder, "server", "mock-gpus.json"), JSON.stringify(uses));

const add = async (...words: readonly string[]): Promise<string> => {
  const added = await world.nx(["add", "--no-git", "-q", ...words]);
  if (added.exitCode !== 0) throw new Error(added.stderr);
  return added.stdout.trim();
};

const begin = async (...words: readonly string[]): Promise<string> => {
  const id = await add(...words);
  await world.waitFor(id, ["running"]);
  return id;
};

const askUse = async (id: string): Promise<WireJobUse> =>
  (await (await fetch(`${world.url}/v1/jobs/${id}/usage`)).json()) as WireJobUse;

test("what a job's GPUs do is seen while it runs, and kept with it", async () => {
  const id = await begin("-i", "0,1", "sleep 300");
  play({ index: 0, utilization: 40 }, { index: 1, utilization: 90.4 });
  await waitUntil(async () => (await world.job(id)).gpu_use !== null, "its GPUs were looked at");
  expect((await world.nx(["get", id])).stdout).toMatch(/^gpu use +mean 65 %, peak 90 %, idle 0 % of the time$/m);
  const { spans } = await askUse(id);
  const figures = { memory_mib: 0, power_w: null };
  expect(spans.at(-1)?.gpus).toEqual([
    { ...figures, index: 0, mean_percent: 40, peak_percent: 40 },
    { ...figures, index: 1, mean_percent: 90.5, peak_percent: 90.5 },
  ]);
  await world.post(`/v1/jobs/${id}/kill`, {});
  const ended = await world.waitFor(id);
  expect(ended.gpu_use).toEqual({ mean_percent: 65.2, peak_percent: 90.4, idle_share: 0 });
  expect(JSON.parse((await world.nx(["get", id, "--json"])).stdout)).toMatchObject({ gpu_use: ended.gpu_use });
});

test("a job that leaves its GPUs idle is told of, ended at its limit and not tried again", async () => {
  const id = await begin(
    "-i",
    "2",
    "--max-idle",
    "4s",
    "--retry",
    "3:time,exit,machine",
    "trap '' TERM; sleep 300 & wait; wait",
  );
  play({ index: 2, utilization: 0 });
  expect(await world.waitFor(id)).toMatchObject({
    ...{ status: "failed", exit_code: null, error_message: "GPUs idle for 4 s", max_idle_s: 4 },
    attempts: [{ reason: "GPUs idle for 4 s" }],
  });
  expect((await world.nx(["get", id])).stdout).toMatch(/^max idle +4 s$/m);
});

test("a job that prints nothing is ended at its limit, with or without GPUs, and one that prints is not", async () => {
  const silent = await begin("-c", "--max-silence", "3s", "echo begun; sleep 300");
  const busy = await begin("-c", "--max-silence", "3s", "for i in $(seq 24); do echo $i; sleep 0.25; done");
  expect(await world.waitFor(silent)).toMatchObject({ status: "failed", error_message: "Log silent for 3 s" });
  expect((await world.nx(["get", silent])).stdout).toMatch(/^max silence {2}3 s$/m);
  expect(await world.waitFor(busy)).toMatchObject({ status: "completed" });
});

test("what has no GPU can't leave it idle", async () => {
  const refused = await world.nx(["add", "--no-git", "-c", "--max-idle", "1h", "true"]);
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("--max-idle")]);
  const plain = await world.nx(["add", "--no-git", "--max-silence", "30", "true"]);
  expect([plain.exitCode, plain.stderr]).toEqual([2, expect.stringContaining("--max-silence")]);
});
