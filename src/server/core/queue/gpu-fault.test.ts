import { expect, test } from "bun:test";
import { createGpu } from "../../../../tests/support/samples.ts";
import { addFaults, type GpuFault } from "./gpu-fault.ts";

const GPUS = [createGpu(0), createGpu(1), createGpu(2, [], { uuid: null }), createGpu(3, [], { fault: "GPU is lost" })];

const fault = (overrides: Partial<GpuFault>): GpuFault => ({
  gpuIdx: 0,
  uuid: null,
  text: "Xid 79",
  at: 1000,
  ...overrides,
});

const tell = (faults: readonly GpuFault[], now = 1001): readonly (string | null)[] =>
  addFaults(GPUS, faults, now).map((gpu) => gpu.fault);

test.each([
  [
    "its GPU by uuid, whatever index it has now",
    fault({ gpuIdx: 0, uuid: "GPU-1" }),
    [null, "Xid 79", null, "GPU is lost"],
  ],
  ["its GPU by index, where the uuid is not known", fault({ gpuIdx: 1 }), [null, "Xid 79", null, "GPU is lost"]],
  [
    "its GPU by index, where the driver tells no uuid",
    fault({ gpuIdx: 2, uuid: "GPU-2" }),
    [null, null, "Xid 79", "GPU is lost"],
  ],
  ["no GPU, if that one is gone", fault({ gpuIdx: 0, uuid: "GPU-9" }), [null, null, null, "GPU is lost"]],
  ["after what the driver says itself", fault({ gpuIdx: 3 }), [null, null, null, "GPU is lost"]],
] as const)("a fault counts against %s", (_what, noted, faults) => {
  expect(tell([noted])).toEqual([...faults]);
});

test("a fault counts for an hour", () => {
  expect([tell([fault({})], 4599)[0], tell([fault({})], 4600)[0]]).toEqual(["Xid 79", null]);
});
