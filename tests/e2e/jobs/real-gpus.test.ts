import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireGpu } from "../../../src/wire/gpu.ts";
import type { ServerStatus } from "../../../src/wire/node.ts";
import { FIXTURES } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const PROGRAMS = join(FIXTURES, "bin");
const GPUS = [
  "0, GPU-aaaa, NVIDIA RTX A6000, 49140, 512, 3, 41, 22.50",
  "1, GPU-bbbb, NVIDIA RTX A6000, 49140, 1, [N/A], 39, [N/A]",
];

let world: World;
let answers: string;

beforeEach(async () => {
  world = await createWorld();
  answers = join(world.folder, "nvidia-smi");
  mkdirSync(answers);
  answer({ mode: "ok" });
});

afterEach(() => world.dispose());

const answer = ({ mode, apps = "" }: Readonly<{ mode: string; apps?: string }>): void => {
  writeFileSync(join(answers, "mode"), mode);
  writeFileSync(join(answers, "gpus.csv"), `${GPUS.join("\n")}\n`);
  writeFileSync(join(answers, "apps.csv"), apps);
  writeFileSync(
    join(answers, "list"),
    "GPU 0: NVIDIA RTX A6000 (UUID: GPU-aaaa)\nGPU 1: NVIDIA RTX A6000 (UUID: GPU-bbbb)\n",
  );
};

const startServer = (path: string): Promise<unknown> =>
  world.startServer({
    NS_MOCK_GPUS: "0",
    NS_REFRESH_RATE: "0.1",
    NS_DRIVER_TIMEOUT: "1",
    NEXUS_FAKE_SMI_DIR: answers,
    PATH: path,
  });

const withFake = (): string => `${PROGRAMS}:${process.env["PATH"]}`;

const readStatus = async (): Promise<ServerStatus> =>
  (await (await fetch(`${world.url}/v1/server/status`)).json()) as ServerStatus;

const readGpus = async (): Promise<readonly WireGpu[]> =>
  (await (await fetch(`${world.url}/v1/gpus`)).json()) as readonly WireGpu[];

describe("the GPUs of nvidia-smi", () => {
  test("are listed, and one that others use is not given to a job", async () => {
    answer({ mode: "ok", apps: "GPU-aaaa, 4242\n" });
    await startServer(withFake());
    expect(await readGpus()).toMatchObject([
      { index: 0, name: "NVIDIA RTX A6000", memory_total: 49140, process_count: 1, power_draw: 22.5, is_mock: false },
      { index: 1, process_count: 0, utilization: null, power_draw: null, temperature: 39 },
    ]);
    expect((await readStatus()).mock).toBe(false);
    const job = await world.submit({ command: "echo $CUDA_VISIBLE_DEVICES" });
    expect((await world.waitFor(job.id)).gpu_idxs).toEqual([1]);
    const refused = await world.post("/v1/jobs", {
      user: "tester",
      command: "true",
      gpu_idxs: [0],
      run_immediately: true,
    });
    expect(refused.status).toBe(500);
  });

  test.each(["fail", "garbage", "hang"])(
    "that can't be read (%s) make GPU jobs wait, and nothing else",
    async (mode) => {
      answer({ mode });
      await startServer(withFake());
      const gpuJob = await world.submit({ command: "true" });
      const cpuJob = await world.submit({ command: "exit 4", num_gpus: 0 });
      expect((await world.waitFor(cpuJob.id)).exit_code).toBe(4);
      expect((await world.job(gpuJob.id)).status).toBe("queued");
      await waitUntil(async () => (await readStatus()).gpu_error !== null, "the status says why");
      answer({ mode: "ok" });
      expect((await world.waitFor(gpuJob.id)).status).toBe("completed");
      expect((await readStatus()).gpu_error).toBeNull();
    },
  );

  test("are none where there is no nvidia-smi, and the status says so", async () => {
    await startServer("/usr/bin:/bin");
    expect(await readGpus()).toEqual([]);
    expect((await readStatus()).gpu_error).toContain("nvidia-smi");
  });
});
