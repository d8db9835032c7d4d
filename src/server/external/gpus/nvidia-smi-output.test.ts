import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Gpu } from "../../core/queue/gpu.ts";
import {
  assignProcesses,
  parseGpuLines,
  parseMigParents,
  parseProcessLines,
  quoteOutput,
} from "./nvidia-smi-output.ts";

const A = "GPU-5fb7bd0c-6a6e-4bd6-8d4e-0c2f0f0aa001";
const B = "GPU-5fb7bd0c-6a6e-4bd6-8d4e-0c2f0f0aa002";
const MIG = "MIG-63feeb45-94c6-5b7b-bc0b-2e6a3a8a0000";

const BASE: Gpu = {
  index: 0,
  uuid: A,
  name: "NVIDIA H100 80GB HBM3",
  memoryTotal: 81_559,
  memoryUsed: 4,
  utilization: 0,
  temperature: 31,
  powerDraw: 69.94,
  processes: [],
};

describe("parseGpuLines", () => {
  test.each<[string, string, readonly Gpu[]]>([
    ["a GPU", `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94\n`, [BASE]],
    [
      "a name with commas",
      `0, ${A}, Quadro, the big, one, 81559, 4, 0, 31, 69.94`,
      [{ ...BASE, name: "Quadro, the big, one" }],
    ],
    [
      "figures that the driver does not know",
      `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, [N/A], [Not Supported], [Unknown Error]`,
      [{ ...BASE, utilization: null, temperature: null, powerDraw: null }],
    ],
    [
      "ERR! and shared memory",
      `0, ${A}, NVIDIA GB10, [N/A], [N/A], 0, ERR!, 4.10`,
      [{ ...BASE, name: "NVIDIA GB10", memoryTotal: 0, memoryUsed: 0, temperature: null, powerDraw: 4.1 }],
    ],
    ["no uuid", "0, [N/A], NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94", [{ ...BASE, uuid: null }]],
    ["carriage returns", `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94\r\n`, [BASE]],
    [
      "a warning after the GPUs",
      `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94\nWARNING: infoROM is corrupted at gpu 0000:3B:00.0\n`,
      [BASE],
    ],
    ["a lost GPU", "Unable to determine the device handle for GPU 0000:3B:00.0: Unknown Error", []],
    ["no devices", "No devices were found\n", []],
    ["too few fields", `0, ${A}, 81559, 4, 0, 31, 69.94`, []],
    ["an index that is no number", `-1, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94`, []],
    ["nothing", "", []],
  ])("%s", (_name, text, gpus) => {
    expect(parseGpuLines(text)).toEqual(gpus);
  });

  test("GPUs come by index", () => {
    const lines = [10, 2, 0].map((index) => `${index}, ${A}, NVIDIA L4, 1, 1, 1, 1, 1`).join("\n");
    expect(parseGpuLines(lines).map((gpu) => gpu.index)).toEqual([0, 2, 10]);
  });

  test("no text makes it throw, or give a figure that is no number", () => {
    const field = fc.oneof(fc.string(), fc.constantFrom("0", "1e999", "[N/A]", "NaN", "-5", "0x10", ","));
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        for (const gpu of parseGpuLines(fields.join(", "))) {
          for (const figure of [gpu.index, gpu.memoryTotal, gpu.memoryUsed, gpu.utilization ?? 0]) {
            expect(figure).toBeFinite();
          }
        }
      }),
    );
  });
});

describe("parseProcessLines", () => {
  test.each([
    [
      "processes",
      `${A}, 4242\n${B}, 17\n`,
      [
        { uuid: A, pid: 4242 },
        { uuid: B, pid: 17 },
      ],
    ],
    ["a process whose pid is hidden", `${A}, [Insufficient Permissions]`, [{ uuid: A, pid: 0 }]],
    ["a process on a MIG device", `${MIG}, 5`, [{ uuid: MIG, pid: 5 }]],
    ["a driver that can't say", "[Not Supported]\n", []],
    ["no process", "\n", []],
    ["a sentence", "No running processes found\n", []],
  ] as const)("%s", (_name, text, processes) => {
    expect(parseProcessLines(text)).toEqual([...processes]);
  });
});

describe("assignProcesses", () => {
  const gpus: readonly Gpu[] = [BASE, { ...BASE, index: 1, uuid: B }, { ...BASE, index: 2, uuid: null }];
  const list = [
    `GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${A})`,
    `GPU 1: NVIDIA A100-SXM4-40GB (UUID: ${B})`,
    `  MIG 1g.5gb      Device  0: (UUID: ${MIG})`,
  ].join("\n");

  test("a process belongs to the GPU of its uuid", () => {
    const assigned = assignProcesses(gpus, parseProcessLines(`${A}, 1\n${B}, 2\n${A}, 3`), new Map());
    expect(assigned.map((gpu) => gpu.processes)).toEqual([[1, 3], [2], []]);
  });

  test("a process on a MIG device belongs to the GPU that has the device", () => {
    const assigned = assignProcesses(gpus, parseProcessLines(`${MIG}, 4`), parseMigParents(list));
    expect(assigned.map((gpu) => gpu.processes)).toEqual([[], [4], []]);
  });

  test("an older driver names the GPU in the MIG device's uuid", () => {
    const assigned = assignProcesses(gpus, parseProcessLines(`MIG-${B}/1/0, 5`), new Map());
    expect(assigned.map((gpu) => gpu.processes)).toEqual([[], [5], []]);
  });
});

test("quoteOutput gives the first line said", () => {
  expect(quoteOutput("", "\n  NVIDIA-SMI has failed\nmore")).toBe("NVIDIA-SMI has failed");
  expect(quoteOutput("", "")).toBe("it said nothing");
});
