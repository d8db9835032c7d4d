import { expect, test } from "bun:test";
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
