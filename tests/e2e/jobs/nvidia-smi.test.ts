import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import type { WireGpu } from "../../../src/wire/gpu.ts";
import type { ExplainedJob } from "../../../src/wire/job.ts";
import type { ServerStatus } from "../../../src/wire/node.ts";
import { FIXTURES, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const GPUS = "0, GPU-aaaa, NVIDIA L4, 23034, 1, 0, 30, 16.20\n1, GPU-bbbb, NVIDIA L4, 23034, 1000, 7, 60, 70.10\n";
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

afterEach(() => world.dispose());

describe("the GPUs of the driver", () => {
  test("are listed with what they do, and given to jobs", async () => {
    await start();
    expect(await readGpus()).toMatchObject([
      { index: 0, name: "NVIDIA L4", memory_total: 23_034, memory_used: 1, process_count: 0, is_mock: false },
      { index: 1, uuid: "GPU-bbbb", memory_used: 1000, utilization: 7, temperature: 60, power_draw: 70.1 },
    ]);
    expect(await readStatus()).toMatchObject({ gpu_count: 2, mock: false, gpu_error: null });
    const job = await world.submit({ command: 'echo "$CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER"', num_gpus: 2 });
    expect(await world.waitFor(job.id)).toMatchObject({ exit_code: 0, gpu_idxs: [0, 1] });
    expect((await world.nx(["logs", job.id])).stdout).toContain("\nGPU-aaaa,GPU-bbbb PCI_BUS_ID\n");
  });

  test("that someone else uses wait until that one is done, and whoever waits is told of it", async () => {
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
    const user = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
    const stranger = `GPU 0 is used by process ${process.pid} (${readFileSync("/proc/self/comm", "utf8").trim()}) of ${user}`;
    const reason = `It needs 1 GPU, and none is free: ${stranger}; GPU 1 runs job ${hold.id} of tester`;
    expect((await world.nx(["why", waiting.id])).stdout).toBe(`${reason}.\nIt is the first of 1 in the queue.\n`);
    const queue = JSON.parse((await world.nx(["queue", "--json"])).stdout) as readonly ExplainedJob[];
    expect(queue.map(({ id, why }) => [id, why])).toEqual([[waiting.id, reason]]);
    put("apps.csv", "");
    expect(await world.waitFor(waiting.id)).toMatchObject({ exit_code: 0, gpu_idxs: [0] });
    put("go", "");
    await world.waitFor(hold.id);
  });
});

describe("GPUs that are not seen well", () => {
  const showGpus = async (): Promise<readonly string[]> =>
    (await world.nx([])).stdout.split("\n").filter((line) => /^ {2}\d /.test(line));

  test("are named by the driver's word and given to no job, until the driver says that they are well", async () => {
    put("gpus.csv", GPUS.replace("23034, 1, 0, 30", "23034, [GPU is lost], [GPU is lost], [GPU is lost]"));
    await start();
    const first = await world.submit({ command: "true" });
    expect((await world.waitFor(first.id)).gpu_idxs).toEqual([1]);
    const [lost, well] = await showGpus();
    expect([lost, well]).toEqual([
      expect.stringMatching(/-\/23034 MiB {2}out of order: GPU is lost$/),
      expect.stringMatching(/1000\/23034 MiB {2}available$/),
    ]);
    expect((await world.nx(["health", "-r"])).stdout).toContain("gpu 0   out of order: GPU is lost\n");
    const waiting = await world.submit({ command: "true", gpu_idxs: [0] });
    expect((await world.nx(["why", waiting.id])).stdout).toStartWith(
      "It needs 1 GPU, and none is free: GPU 0 is out of order (GPU is lost).\n",
    );
    put("gpus.csv", GPUS);
    expect((await world.waitFor(waiting.id)).gpu_idxs).toEqual([0]);
  });

  test("keep no other from jobs, though the driver fails as a whole for one that is lost", async () => {
    put("mode", "lost");
    put("list", "GPU 0: NVIDIA L4 (UUID: GPU-aaaa)\nGPU 1: NVIDIA L4 (UUID: GPU-bbbb)\n");
    await start();
    const job = await world.submit({ command: "true" });
    expect((await world.waitFor(job.id)).gpu_idxs).toEqual([1]);
    const handle = "Unable to determine the device handle for GPU0000:17:00.0: Unknown Error";
    expect((await showGpus())[0]).toEndWith(`out of order: ${handle}`);
    expect(await readStatus()).toMatchObject({ gpu_count: 2, gpu_error: null });
  });

  test("are used by others that show no process, which is told with the setting that allows more", async () => {
    put("gpus.csv", GPUS.replace("23034, 1, 0, 30", "23034, 20480, 98, 70"));
    await start();
    const job = await world.submit({ command: "true" });
    expect((await world.waitFor(job.id)).gpu_idxs).toEqual([1]);
    expect((await showGpus())[0]).toEndWith("in use by others (process not visible)");
    const waiting = await world.submit({ command: "true", gpu_idxs: [0] });
    expect((await world.nx(["why", waiting.id])).stdout).toContain("20480 MiB of its memory are taken");
    put("gpus.csv", GPUS);
    expect((await world.waitFor(waiting.id)).gpu_idxs).toEqual([0]);
  });
});

describe("an Xid in a job's log", () => {
  const XID = "NVRM: Xid (PCI:0000:17:00): 79, pid=1, GPU has fallen off the bus.";

  test("keeps its GPU from jobs over a restart, until an admin gives it out again", async () => {
    const server = await start();
    const broken = await world.submit({ command: `echo '${XID}'; exit 1`, gpu_idxs: [0] });
    expect(await world.waitFor(broken.id)).toMatchObject({ status: "failed", gpu_idxs: [0] });
    const said = `Xid 79 in the log of job ${broken.id}`;
    expect((await world.nx([])).stdout).toContain(`out of order: ${said}`);
    await stopChild(server, "SIGKILL");
    await start();
    const waiting = await world.submit({ command: "true", gpu_idxs: [0] });
    expect((await world.nx(["why", waiting.id])).stdout).toContain(`GPU 0 is out of order (${said})`);
    expect((await world.nx(["blacklist", "clear", "0"])).stdout).toBe("GPU 0 is handed out again.\n");
    expect((await world.waitFor(waiting.id)).gpu_idxs).toEqual([0]);
    expect((await world.nx(["blacklist", "clear", "0"])).stdout).toBe("GPU 0 had nothing noted against it.\n");
    expect((await world.nx(["blacklist", "clear", "9"])).stderr).toBe("nx: There is no GPU 9\n");
  });
});

describe("mock GPUs, where the server is left to choose", () => {
  const hasDevice = readdirSync("/dev").some((name) => /^(nvidia.*|kfd|dxg)$/.test(name));

  test.each([true, false])("are taken only without a device and without a tool (a tool: %p)", async (hasTool) => {
    if (!hasTool) rmSync(join(tools, PROGRAM));
    await world.startServer({ PATH: tools, NEXUS_FAKE_SMI_DIR: world.folder, NS_MOCK_GPUS: "auto" });
    expect((await readStatus()).mock).toBe(!hasTool && !hasDevice);
  });
});

describe("a driver that is absent or fails", () => {
  const breakProgram = (): void => rmSync(join(tools, PROGRAM));

  test("keeps GPU jobs waiting and says why, CPU jobs run at once, and it recovers by itself", async () => {
    breakProgram();
    await start();
    const gpuJob = await world.submit({ command: "exit 4" });
    const cpuJob = await world.submit({ command: "exit 5", num_gpus: 0 });
    expect((await world.waitFor(cpuJob.id)).exit_code).toBe(5);
    const [status, gpus] = await Promise.all([readStatus(), readGpus()]);
    expect([status.gpu_count, status.gpu_error, gpus]).toEqual([0, expect.stringContaining(PROGRAM), []]);
    expect((await world.job(gpuJob.id)).status).toBe("queued");
    expect((await world.nx([])).stderr).toContain(status.gpu_error ?? "?");
    expect((await world.nx(["why", gpuJob.id])).stdout).toStartWith(`No GPU job can start: ${status.gpu_error}.\n`);
    installProgram();
    expect((await world.waitFor(gpuJob.id)).exit_code).toBe(4);
    await waitUntil(async () => (await readStatus()).gpu_error === null, "the GPUs are back");
    expect(await readGpus()).toHaveLength(2);
  });

  test("does not end the jobs that run", async () => {
    await start();
    const job = await world.submit({ command: `until [ -e ${world.folder}/go ]; do sleep 0.05; done; exit 6` });
    await world.waitFor(job.id, ["running"]);
    put("mode", "fail");
    await waitUntil(async () => (await readStatus()).gpu_error !== null, "the failure is noticed");
    expect((await world.job(job.id)).status).toBe("running");
    put("go", "");
    expect((await world.waitFor(job.id)).exit_code).toBe(6);
  });
});
