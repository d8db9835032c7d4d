import { expect, test } from "bun:test";
import { createGpu } from "../../../../tests/support/samples.ts";
import { nameDevices } from "./job-devices.ts";

const amd = (index: number, deviceId: string | null) => createGpu(index, [], { vendor: "amd", deviceId });

test.each([
  ["by uuids, which can't shift", [0, 2], (index: number) => `GPU-${index}`, "GPU-0,GPU-2"],
  ["by indices where one has none", [0, 2], (index: number) => (index === 0 ? "GPU-0" : null), "0,2"],
  ["a MIG device by its uuid", [4], () => "MIG-63feeb45", "MIG-63feeb45"],
] as const)("a job is shown its GPUs %s", (_how, indexes, name, value) => {
  const gpus = indexes.map((index) => createGpu(index, [], { deviceId: name(index) }));
  expect(nameDevices(gpus)).toEqual({ CUDA_VISIBLE_DEVICES: value });
});

test("AMD's GPUs are chosen for ROCr, and HIP counts among the chosen ones", () => {
  expect(nameDevices([amd(1, null), amd(3, null)])).toEqual({
    ROCR_VISIBLE_DEVICES: "1,3",
    HIP_VISIBLE_DEVICES: "0,1",
    CUDA_VISIBLE_DEVICES: "0,1",
  });
  expect(nameDevices([amd(1, "GPU-a8e9ddefa2d60f55")])).toEqual({
    ROCR_VISIBLE_DEVICES: "GPU-a8e9ddefa2d60f55",
    HIP_VISIBLE_DEVICES: "0",
    CUDA_VISIBLE_DEVICES: "0",
  });
});

test("a CPU job is shown no GPU of either kind", () => {
  expect(nameDevices([])).toEqual({ CUDA_VISIBLE_DEVICES: "", HIP_VISIBLE_DEVICES: "-1" });
});
