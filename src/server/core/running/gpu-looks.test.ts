import { expect, test } from "bun:test";
import { createGpu } from "../../../../tests/support/samples.ts";
import type { Gpu } from "../queue/gpu.ts";
import { seeUse } from "./gpu-looks.ts";

const see = (gpuIdxs: readonly number[], ...percents: readonly (number | null)[]) => {
  const gpus: readonly Gpu[] = percents.map((utilization, index) => createGpu(index, [], { utilization }));
  return seeUse({ gpuIdxs }, gpus);
};

test("a look counts the mean and the most of the job's own GPUs", () => {
  expect(see([0, 2], 10, 100, 40)).toEqual({ looks: 1, meanPercent: 25, peakPercent: 40, idleShare: 0 });
});

test("a job is idle where all of its GPUs are under 1 %", () => {
  expect(see([0, 1], 0, 0.9)?.idleShare).toBe(1);
  expect(see([0, 1], 0, 1)?.idleShare).toBe(0);
});

test("nothing is known where one of its GPUs is not, nor of a job without any", () => {
  expect([see([0, 1], 0, null), see([0, 7], 0), see([], 0)]).toEqual([null, null, null]);
});
