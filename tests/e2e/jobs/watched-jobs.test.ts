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
