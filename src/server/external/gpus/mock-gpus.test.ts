import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRunning } from "../../../../tests/support/samples.ts";
import { createGpus } from "./create-gpus.ts";
import { createMockGpus } from "./mock-gpus.ts";

const readMemory = async (count?: number): Promise<readonly (number | null)[]> => {
  const reading = await createMockGpus(count).read();
  return reading.ok ? reading.value.map((gpu) => gpu.memoryTotal) : [];
};

test("there are two mock GPUs unless another number is asked for, of 8 and 16 GiB in turn", async () => {
  expect(await readMemory()).toEqual([8192, 16_384]);
  expect(await readMemory(3)).toEqual([8192, 16_384, 8192]);
  expect(await readMemory(0)).toEqual([]);
});

test("a mock GPU says what it is, and is idle", async () => {
  const gpus = createMockGpus(1);
  expect(gpus.isMock).toBe(true);
  expect(await gpus.read()).toMatchObject({
    ok: true,
    value: [{ index: 0, name: "Mock GPU 0", memoryUsed: 0, processes: [] }],
  });
});

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-mock-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const play = (uses: unknown): void => writeFileSync(join(folder, "mock-gpus.json"), JSON.stringify(uses));

test("instances of a GPU that is cut come after the whole GPUs, and are named by their uuid", async () => {
  const whole = { memoryMib: 24_576, isMig: false };
  const instance = { memoryMib: 10_240, isMig: true };
  const reading = await createMockGpus([instance, whole, instance]).readNow();
  expect(reading.ok && reading.value.map(({ index, memoryTotal, deviceId }) => [index, memoryTotal, deviceId])).toEqual(
    [
      [0, 24_576, null],
      [1, 10_240, "MIG-MOCK-1"],
      [2, 10_240, "MIG-MOCK-2"],
    ],
  );
});

test("what uses mock GPUs is read from a file at each look", async () => {
  const gpus = createMockGpus(2, { folder });
  play([{ memory_used: 7, utilization: 50, name: "L4" }, { processes: [{ pid: 4, memory: 900 }, { pid: 5 }, {}] }]);
  expect(await gpus.read()).toMatchObject({
    value: [
      { name: "L4", memoryUsed: 7, utilization: 50, processes: [] },
      {
        memoryUsed: 900,
        processes: [4, 5, 0],
        users: [
          { pid: 4, memoryMib: 900 },
          { pid: 5, memoryMib: null },
          { pid: 0, memoryMib: null },
        ],
      },
    ],
  });
  play([{ index: 1, memory_used: 3 }]);
  expect(await gpus.read()).toMatchObject({ value: [{ memoryUsed: 0 }, { memoryUsed: 3, processes: [] }] });
});

test.each([["{"], ['[{"memory_used": -1}]'], ['{"index": 1}']])(
  "a file that says %p is an error, and not a GPU",
  async (text) => {
    writeFileSync(join(folder, "mock-gpus.json"), text);
    const reading = await createMockGpus(1, { folder }).readNow();
    expect(reading.ok ? "" : reading.error.message).toContain("The mock GPUs can't be read: ");
  },
);

test("others are seen on mock GPUs as on real ones, and of the processes of jobs it is known of which", async () => {
  const job = createRunning("a", { gpuIdxs: [1] });
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
  const gpus = createGpus(
    { serverDir: folder, mockGpus: 3, driverTimeout: 1, shareWithForeign: false, foreignMemoryMib: 1024 },
    {
      store: { loadActiveJobs: () => [job], listGpuFaults: () => [] },
      clock: () => 0,
      uptime: () => 0,
      log: { ...log, child: () => log } as never,
      findJobOf: (pid) => (pid === 4 ? job.id : null),
    },
  );
  play([{ memory_used: 3000 }, { memory_used: 3000, processes: [{ pid: 4, memory: 100 }, { pid: 5 }] }]);
  const reading = await gpus.readNow();
  expect(
    reading.ok && reading.value.map(({ unseenUse, users }) => [unseenUse, users?.map(({ jobId }) => jobId)]),
  ).toEqual([
    ["3000 MiB of its memory are taken, and 1024 are allowed", undefined],
    [null, [job.id, null]],
    [null, undefined],
  ]);
});
