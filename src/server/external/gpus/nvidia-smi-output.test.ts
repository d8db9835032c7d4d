import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Gpu } from "../../core/queue/gpu.ts";
import {
  assignProcesses,
  parseGpuLines,
  parseList,
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
  vendor: "nvidia",
  deviceId: A,
  memoryTotal: 81_559,
  memoryUsed: 4,
  utilization: 0,
  temperature: 31,
  powerDraw: 69.94,
  eccErrors: null,
  recoveryAction: null,
  processes: [],
  fault: null,
  doubt: null,
  unseenUse: null,
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
      `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, [N/A], [Not Supported], N/A`,
      [{ ...BASE, utilization: null, temperature: null, powerDraw: null }],
    ],
    [
      "a word in place of a figure",
      `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, [N/A], 31, [Unknown Error]`,
      [{ ...BASE, utilization: null, powerDraw: null, fault: "Unknown Error" }],
    ],
    [
      "a word in place of the uuid",
      "0, [GPU is lost], NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94",
      [{ ...BASE, uuid: null, deviceId: null, fault: "GPU is lost" }],
    ],
    [
      "a sensor of power that fails",
      `0, ${A}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, ERR!`,
      [{ ...BASE, powerDraw: null, doubt: "its power draw reads ERR!" }],
    ],
    [
      "ERR! and shared memory",
      `0, ${A}, NVIDIA GB10, [N/A], [N/A], 0, ERR!, 4.10`,
      [
        {
          ...BASE,
          ...{ name: "NVIDIA GB10", memoryTotal: null, memoryUsed: null, temperature: null, powerDraw: 4.1 },
          fault: "ERR!",
        },
      ],
    ],
    ["no uuid", "0, [N/A], NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.94", [{ ...BASE, uuid: null, deviceId: null }]],
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
          for (const figure of [gpu.index, gpu.memoryTotal ?? 0, gpu.memoryUsed ?? 0, gpu.utilization ?? 0]) {
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

  test("a process of an unknown uuid may be on each GPU without one", () => {
    const assigned = assignProcesses(gpus, parseProcessLines(`GPU-x, 6\n${A}, 1`), new Map());
    expect(assigned.map((gpu) => gpu.processes)).toEqual([[1], [], [6]]);
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

describe("parseList", () => {
  test.each([
    [
      "GPUs with their MIG devices",
      `GPU 0: NVIDIA A30 (UUID: ${A})\n  MIG 1g.6gb     Device  0: (UUID: ${MIG})\nGPU 1: NVIDIA A30 (UUID: ${B})`,
      [
        { index: 0, uuid: A, trouble: null },
        { index: 1, uuid: B, trouble: null },
      ],
    ],
    [
      "one that can't be reached between others",
      `GPU 0: X (UUID: ${A})\nUnable to determine the device handle for gpu 1\nGPU 2: X (UUID: ${B})`,
      [
        { index: 0, uuid: A, trouble: null },
        { index: 1, uuid: null, trouble: "Unable to determine the device handle for gpu 1" },
        { index: 2, uuid: B, trouble: null },
      ],
    ],
    [
      "one that is left out",
      `GPU 1: X (UUID: ${A})`,
      [
        { index: 0, uuid: null, trouble: "it is not listed" },
        { index: 1, uuid: A, trouble: null },
      ],
    ],
    [
      "the last one lost",
      `GPU 0: X (UUID: ${A})\nUnable to determine the device handle for gpu 1`,
      [
        { index: 0, uuid: A, trouble: null },
        { index: 1, uuid: null, trouble: "Unable to determine the device handle for gpu 1" },
      ],
    ],
    ["an index that no machine has", "GPU 9999: X (UUID: GPU-x)", []],
    ["no driver", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", []],
  ] as const)("%s", (_name, text, listed) => {
    expect(parseList(text)).toEqual([...listed]);
  });
});

test.each([
  ["the first line said", ["", "\n  It went away\nmore"], "It went away"],
  [
    "the line of the error, not the rows or a warning before it",
    ["WARNING: infoROM\n0, GPU-a, X, 1, 1, 1, 1, 1\nUnable to reach it"],
    "Unable to reach it",
  ],
  ["nothing", ["", ""], "it said nothing"],
] as const)("quoteOutput quotes %s", (_what, texts, quoted) => {
  expect(quoteOutput(...texts)).toBe(quoted);
});
