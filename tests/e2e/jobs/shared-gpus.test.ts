import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireGpu } from "../../../src/wire/gpu.ts";
import type { WireJob } from "../../../src/wire/job.ts";
import type { WireWait } from "../../../src/wire/wait.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const GIB = 1024;
const STARTED = ["running"];

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const start = (mocks: string): Promise<unknown> =>
  world.startServer({ NS_MOCK_GPUS: mocks, NS_REFRESH_RATE: "0.2", NS_MAX_PASSED_OVER: "3600" });

const play = (uses: unknown): void =>
  writeFileSync(join(world.folder, "server", "mock-gpus.json"), JSON.stringify(uses));

const add = async (...words: readonly string[]): Promise<string> => {
  const added = await world.nx(["add", "--no-git", "-q", ...words, "sleep 300"]);
  if (added.exitCode !== 0) throw new Error(added.stderr);
  return added.stdout.trim();
};

const ask = async <Body>(path: string): Promise<Body> => (await (await fetch(`${world.url}${path}`)).json()) as Body;

const why = (id: string): Promise<WireWait> => ask(`/v1/jobs/${id}/why`);

const findPid = async (id: string): Promise<number> => {
  await waitUntil(async () => (await world.job(id)).pid !== null, `job ${id} was launched`);
  return (await world.job(id)).pid ?? 0;
};

describe("jobs that name their memory", () => {
  test("share a GPU while there is room, beside none that wants it alone", async () => {
    await start("1x24G");
    const first = await add("--vram", "10G");
    const second = await add("--vram", "10G");
    await world.waitFor(first, STARTED);
    await world.waitFor(second, STARTED);
    const third = await add("--vram", "4G");
    const alone = await add();
    const small = await add("--vram", "3584M");
    await world.waitFor(small, STARTED);
    expect(await why(third)).toMatchObject({ reason: "vram" });
    expect(await why(alone)).toMatchObject({ reason: "gpus_taken" });
    const [gpu] = await ask<readonly WireGpu[]>("/v1/gpus");
    expect(gpu).toMatchObject({
      job_ids: [first, second, small],
      running_job_id: first,
      vram_booked_mib: 20 * GIB + 3584,
    });
    expect((await world.nx([])).stdout).toContain(`jobs ${first}, ${second}, ${small} (23.5 GiB of 24 GiB booked)`);
    await world.post(`/v1/jobs/${second}/kill`, {});
    await world.waitFor(third, STARTED);
    expect((await world.job(alone)).status).toBe("queued");
  });

  test("are not let near what others use, unless the server shares with them", async () => {
    await start("1x24G");
    play([{ processes: [{ pid: 1, memory: 4 * GIB }] }]);
    const refused = await world.post("/v1/jobs", {
      ...{ user: "tester", command: "true", num_gpus: 1, vram_mib: 4 * GIB, run_immediately: true },
    });
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([500, "GPU_ERROR"]);
  });

  test("start where that much is free beside others, where the server shares with them", async () => {
    await world.startServer({ NS_MOCK_GPUS: "1x24G", NS_REFRESH_RATE: "0.2", NS_SHARE_WITH_FOREIGN: "true" });
    play([{ processes: [{ pid: 1, memory: 14 * GIB }] }]);
    const large = await add("--vram", "10G");
    const small = await add("--vram", "9G");
    await world.waitFor(small, STARTED);
    expect(await why(large)).toMatchObject({ reason: "vram" });
  });

  test("count with what they use where that is more than they booked", async () => {
    await start("1x24G");
    const greedy = await add("--vram", "4G");
    await world.waitFor(greedy, STARTED);
    play([{ processes: [{ pid: await findPid(greedy), memory: 15 * GIB }] }]);
    const next = await add("--vram", "9G");
    const fitting = await add("--vram", "8G");
    await world.waitFor(fitting, STARTED);
    expect(await why(next)).toMatchObject({ reason: "vram" });
    play([]);
    await world.waitFor(next, STARTED);
  });
});

test("an instance of a GPU that is cut is a GPU of its own, given by its uuid", async () => {
  await start("1x24G,1xMIG");
  const gpus = await ask<readonly WireGpu[]>("/v1/gpus");
  expect(gpus.map(({ index, memory_total }) => [index, memory_total])).toEqual([
    [0, 24 * GIB],
    ...[1, 2, 3, 4, 5, 6, 7].map((index) => [index, 10 * GIB]),
  ]);
  const job = await world.submit({ command: 'echo "see $CUDA_VISIBLE_DEVICES"', num_gpus: 1, gpu_type: "mig" });
  expect((await world.waitFor(job.id)).gpu_idxs).toEqual([1]);
  const { data } = await ask<{ data: string }>(`/v1/jobs/${job.id}/logs`);
  expect(data).toContain("see MIG-MOCK-1");
});

test("a job that says which GPUs will do waits for one of these, and takes the smallest that fits", async () => {
  await start("1x40G,2x24G");
  const first = await add("--min-vram", "20G");
  const second = await add("--min-vram", "30G");
  const third = await add("--min-vram", "30G");
  const jobs: WireJob[] = [await world.waitFor(first, STARTED), await world.waitFor(second, STARTED)];
  expect(jobs.map(({ gpu_idxs }) => gpu_idxs)).toEqual([[1], [0]]);
  await waitUntil(async () => (await why(third)).reason === "gpu_type", "it waits for a GPU of its kind");
  const large = await world.nx(["add", "--no-git", "--min-vram", "41G", "true"]);
  expect([large.exitCode, large.stderr]).toEqual([2, expect.stringContaining("--min-vram: ")]);
  for (const words of [
    ["--vram", "4G", "-c"],
    ["--vram", "4G", "--min-vram", "4G"],
    ["--vram", "4"],
  ])
    expect((await world.nx(["add", "--no-git", ...words, "true"])).exitCode).toBe(2);
});

test("what a job had of a GPU's memory is shown, and proposed at the next submission of its command", async () => {
  await start("1x24G");
  const id = await add();
  await world.waitFor(id, STARTED);
  play([{ processes: [{ pid: await findPid(id), memory: 7270 }] }]);
  await waitUntil(async () => (await world.job(id)).vram_peak_mib === 7270, "its memory was measured");
  expect((await world.nx(["get", id])).stdout).toContain("7.1 GiB at most");
  await world.post(`/v1/jobs/${id}/kill`, {});
  await world.waitFor(id);
  const next = await world.nx(["add", "--no-git", "sleep 300"]);
  expect(next.stderr).toContain("It used 7.1 GiB of GPU memory last time: --vram 8G lets others share its GPU");
});
