import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { WireGpu } from "../../src/shared/gpu.ts";
import type { ServerStatus } from "../../src/shared/node.ts";
import { createWorld, FIXTURES, type World, waitUntil } from "./programs.ts";

const GPUS = "0, GPU-aaaa, NVIDIA L4, 23034, 1, 0, 30, 16.20\n1, GPU-bbbb, NVIDIA L4, 23034, 1000, 97, 60, 70.10\n";
const PROGRAM = "nvidia-smi";

let world: World;
let tools: string;

const put = (name: string, text: string): void => writeFileSync(join(world.folder, name), text);
const read = async <Body>(path: string): Promise<Body> => (await (await fetch(`${world.url}${path}`)).json()) as Body;
const readGpus = (): Promise<readonly WireGpu[]> => read("/v1/gpus");
const readStatus = (): Promise<ServerStatus> => read("/v1/server/status");
const start = () =>
  world.startServer({
    PATH: tools,
    NEXUS_FAKE_SMI_DIR: world.folder,
    NS_MOCK_GPUS: "0",
    NS_REFRESH_RATE: "0.2",
    NS_MAX_CPU_JOBS: "2",
  });

const linkTools = (): void => {
  mkdirSync(tools);
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const isNew = name !== PROGRAM && !existsSync(join(tools, name));
      if (isNew && existsSync(join(folder, name))) symlinkSync(join(folder, name), join(tools, name));
    }
  }
};

const installProgram = (): void => copyFileSync(join(FIXTURES, "bin", PROGRAM), join(tools, PROGRAM));

beforeEach(async () => {
  world = await createWorld();
  tools = join(world.folder, "tools");
  linkTools();
  installProgram();
  put("gpus.csv", GPUS);
});

afterEach(async () => { console.log("d", performance.now()); await world.dispose(); console.log("d2", performance.now()); });

describe("the GPUs of the driver", () => {
  test("are listed with what they do, and given to jobs", async () => {
    await start();
    expect(await readGpus()).toMatchObject([
      { index: 0, name: "NVIDIA L4", memory_total: 23_034, memory_used: 1, process_count: 0, is_mock: false },
      { index: 1, uuid: "GPU-bbbb", memory_used: 1000, utilization: 97, temperature: 60, power_draw: 70.1 },
    ]);
    expect(await readStatus()).toMatchObject({ gpu_count: 2, mock: false, gpu_error: null });
    const job = await world.submit({ command: 'echo "$CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER"', num_gpus: 2 });
    expect(await world.waitFor(job.id)).toMatchObject({ exit_code: 0, gpu_idxs: [0, 1] });
    expect((await world.nx(["logs", job.id])).stdout).toContain("\n0,1 PCI_BUS_ID\n");
  });

  test("that someone else uses wait until that one is done", async () => {
    put("apps.csv", `GPU-aaaa, ${process.pid}\n`);
    await start();
    expect((await readGpus()).map((gpu) => gpu.process_count)).toEqual([1, 0]);
    expect((await world.nx([])).stdout).toContain("in use by others");
    const hold = await world.submit({ command: `until [ -e ${world.folder}/go ]; do sleep 0.05; done` });
    const waiting = await world.submit({ command: "true" });
    expect(await world.waitFor(hold.id, ["running"])).toMatchObject({ gpu_idxs: [1] });
    const refused = await world.post("/v1/jobs", { user: "u", command: "true", gpu_idxs: [0], run_immediately: true });
    expect(refused.status).toBe(500);
    expect((await world.job(waiting.id)).status).toBe("queued");
    put("apps.csv", "");
    expect(await world.waitFor(waiting.id)).toMatchObject({ exit_code: 0, gpu_idxs: [0] });
    put("go", "");
    await world.waitFor(hold.id);
  });
});

describe("a driver that gives no answer", () => {
  const breakProgram = (how: string): void => {
    if (how === "absent") rmSync(join(tools, PROGRAM));
    else put("mode", how);
  };

  const mendProgram = (): void => {
    installProgram();
    rmSync(join(world.folder, "mode"), { force: true });
  };

  test.each([
    ["fail", "version mismatch"],
    ["garbage", "not, a table"],
    ["absent", "nvidia-smi"],
    ["hang", "nvidia-smi"],
  ])(
    "(%s) keeps GPU jobs waiting and says why, CPU jobs run at once, and it recovers by itself",
    async (how, why) => {
      breakProgram(how);
    console.log(1, performance.now());
      await start();
    console.log(2, performance.now());
      const gpuJob = await world.submit({ command: "exit 4" });
    console.log(3, performance.now());
      const submittedAt = performance.now();
    console.log(4, performance.now());
      const cpuJob = await world.submit({ command: "exit 5", num_gpus: 0 });
    console.log(5, performance.now());
      expect((await world.waitFor(cpuJob.id)).exit_code).toBe(5);
    console.log(6, performance.now());
      expect(performance.now() - submittedAt).toBeLessThan(3000);
    console.log(7, performance.now());
      const status = await readStatus();
    console.log(8, performance.now());
      expect([status.gpu_count, status.gpu_error]).toEqual([0, expect.stringContaining(why)]);
    console.log(9, performance.now());
      expect(await readGpus()).toEqual([]);
    console.log(10, performance.now());
      expect((await world.job(gpuJob.id)).status).toBe("queued");
    console.log(11, performance.now());
      expect((await world.nx([])).stderr).toContain(status.gpu_error ?? "?");
    console.log(12, performance.now());
      mendProgram();
    console.log(13, performance.now());
      expect((await world.waitFor(gpuJob.id)).exit_code).toBe(4);
    console.log(14, performance.now());
      await waitUntil("the GPUs are back", async () => (await readStatus()).gpu_error === null);
    console.log(15, performance.now());
      expect(await readGpus()).toHaveLength(2);
    console.log(16, performance.now());
    },
    30_000,
  );

  test("does not end the jobs that run", async () => {
    await start();
    console.log(17, performance.now());
    const job = await world.submit({ command: `until [ -e ${world.folder}/go ]; do sleep 0.05; done; exit 6` });
    console.log(18, performance.now());
    await world.waitFor(job.id, ["running"]);
    console.log(19, performance.now());
    breakProgram("fail");
    console.log(20, performance.now());
    await waitUntil("the failure is noticed", async () => (await readStatus()).gpu_error !== null);
    console.log(21, performance.now());
    expect((await world.nx([])).stderr).toContain("the GPUs can't be read, so GPU jobs wait");
    console.log(22, performance.now());
    expect((await world.job(job.id)).status).toBe("running");
    console.log(23, performance.now());
    put("go", "");
    console.log(24, performance.now());
    expect((await world.waitFor(job.id)).exit_code).toBe(6);
    console.log(25, performance.now());
  });
});
