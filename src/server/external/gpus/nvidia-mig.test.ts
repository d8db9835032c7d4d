import { expect, test } from "bun:test";
import { createGpu } from "../../../../tests/support/samples.ts";
import { parseMigDetails, replaceByMigs } from "./nvidia-mig.ts";
import { parseMigList, parseProcessLines } from "./nvidia-smi-output.ts";

const device = (index: number, gpuInstance: number, used: string): string =>
  `<mig_device><index>${index}</index><gpu_instance_id>${gpuInstance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
   <fb_memory_usage><total>9856 MiB</total><used>${used}</used></fb_memory_usage></mig_device>`;

const process = (pid: number, gpuInstance: number, type: string, memory: string): string =>
  `<process_info><gpu_instance_id>${gpuInstance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
   <pid>${pid}</pid><type>${type}</type><used_memory>${memory}</used_memory></process_info>`;

const DETAILS = parseMigDetails(`<?xml version="1.0" ?>
<nvidia_smi_log><gpu id="00000000:07:00.0"><uuid>GPU-1</uuid>
  <mig_devices>${device(0, 7, "13 MiB")}${device(1, 8, "1213 MiB")}</mig_devices>
  <processes>${process(5, 8, "M+C", "1200 MiB")}${process(6, 8, "G", "3 MiB")}${process(7, 7, "C", "N/A")}</processes>
</gpu><gpu id="00000000:08:00.0"><uuid>GPU-2</uuid><mig_devices>None</mig_devices><processes></processes></gpu></nvidia_smi_log>`);

const LIST = [
  "GPU 0: NVIDIA A100 (UUID: GPU-0)",
  "GPU 1: NVIDIA A100 (UUID: GPU-1)",
  "  MIG 1g.10gb     Device  0: (UUID: MIG-a)",
  "  MIG 1g.10gb     Device  1: (UUID: MIG-b)",
  "GPU 2: NVIDIA A100 (UUID: GPU-2)",
].join("\n");

const GPUS = [0, 1, 2].map((index) => createGpu(index));

const replace = (processes = "") =>
  replaceByMigs(GPUS, parseProcessLines(processes), { listed: parseMigList(LIST), details: DETAILS });

test("a GPU that is cut is not there, its instances are, after the whole ones, with their own memory and uuid", () => {
  expect(
    replace().map(({ index, uuid, deviceId, memoryTotal, memoryUsed }) => [
      index,
      uuid,
      deviceId,
      memoryTotal,
      memoryUsed,
    ]),
  ).toEqual([
    [0, "GPU-0", null, 24_564, 0],
    [2, "GPU-2", null, 24_564, 0],
    [3, "MIG-a", "MIG-a", 9856, 13],
    [4, "MIG-b", "MIG-b", 9856, 1213],
  ]);
});

test("the processes of an instance are those that compute there, each once", () => {
  const [, , first, second] = replace("MIG-b, 5, 1200\nGPU-1, 5, 1200\nGPU-1, 7, [N/A]");
  expect([first?.users, second?.users]).toEqual([
    [{ pid: 7, memoryMib: null, jobId: null }],
    [{ pid: 5, memoryMib: 1200, jobId: null }],
  ]);
});

test("a process of which only the GPU is told may be on each of its instances", () => {
  expect(replace("GPU-1, 9, 100").map(({ processes }) => processes)).toEqual([[], [], [7, 9], [5, 9]]);
});

test("an instance is as ill as its GPU", () => {
  const ill = GPUS.map((gpu) => ({ ...gpu, fault: gpu.index === 1 ? "GPU is lost" : null }));
  const instances = replaceByMigs(ill, [], { listed: parseMigList(LIST), details: new Map() });
  expect(instances.map(({ fault, memoryTotal }) => [fault, memoryTotal])).toEqual([
    [null, 24_564],
    [null, 24_564],
    ["GPU is lost", null],
    ["GPU is lost", null],
  ]);
});
