import { describe, expect, test } from "bun:test";
import { createGpu } from "../../../../tests/support/samples.ts";
import type { Gpu } from "./gpu.ts";
import { judgeUse, NO_HISTORY, type UseFacts } from "./unseen-use.ts";

const FACTS: UseFacts = { taken: new Set(), foreignMemoryMib: 1024 };

type Look = Readonly<{ gpus: readonly Gpu[]; taken?: readonly number[] }>;

const look = (...looks: readonly Look[]): readonly Gpu[] => {
  let judged: ReturnType<typeof judgeUse> = { history: NO_HISTORY, gpus: [] };
  for (const { gpus, taken = [] } of looks)
    judged = judgeUse(judged.history, gpus, { ...FACTS, taken: new Set(taken) });
  return judged.gpus;
};

const see = (...looks: readonly Look[]): readonly (string | null)[] => look(...looks).map(({ unseenUse }) => unseenUse);

const withMemory = (...used: readonly (number | null)[]): Look => ({
  gpus: used.map((memoryUsed, index) => createGpu(index, [], { memoryUsed })),
});

const withLoad = (utilization: number | null, taken: readonly number[] = []): Look => ({
  gpus: [createGpu(0, [], { utilization })],
  taken,
});

describe("memory", () => {
  test("above what is allowed is others', below it and unknown it is nobody's", () => {
    expect(see(withMemory(1025, null))).toEqual(["1025 MiB of its memory are taken, and 1024 are allowed", null]);
    expect(see(withMemory(1024))).toEqual([null]);
  });

  test("is compared with the least that an idle GPU of the kind was seen with, at any look", () => {
    expect(see(withMemory(600, 700), withMemory(1624, 1625))).toEqual([
      null,
      "1625 MiB of its memory are taken, and 1624 are allowed",
    ]);
    const other = createGpu(1, [], { memoryUsed: 1500, name: "A30" });
    expect(see(withMemory(600), { gpus: [other] })).toEqual([expect.stringContaining("1024 are allowed")]);
  });

  test("of a GPU that a job has, or on which a process is seen, teaches and tells nothing", () => {
    const busy = createGpu(0, [], { memoryUsed: 900 });
    const used = createGpu(1, [7], { memoryUsed: 900 });
    expect(see({ gpus: [busy, used], taken: [0] }, withMemory(1025, 1025))).toEqual([
      expect.stringContaining("1024 are allowed"),
      expect.stringContaining("1024 are allowed"),
    ]);
    const full = [busy, used].map((gpu) => ({ ...gpu, memoryUsed: 9000 }));
    expect(see({ gpus: full, taken: [0] })).toEqual([null, null]);
  });
});

describe("load", () => {
  test("above 10 % in two looks is others'", () => {
    expect(see(withLoad(0), withLoad(11), withLoad(12))).toEqual(["it is 12 % busy"]);
    expect(see(withLoad(0), withLoad(10), withLoad(10))).toEqual([null]);
    expect(see(withLoad(0), withLoad(11), withLoad(null))).toEqual([null]);
  });

  test("at one look only makes others come first", () => {
    expect(look(withLoad(0), withLoad(60))).toMatchObject([{ unseenUse: null, doubt: "it is 60 % busy" }]);
  });

  test("of a GPU that was never seen before is others' at once", () => {
    expect(see(withLoad(98))).toEqual(["it is 98 % busy"]);
  });

  test("of a job, and what is left of it at the next look, is nobody else's", () => {
    expect(see(withLoad(99, [0]))).toEqual([null]);
    expect(see(withLoad(99, [0]), withLoad(80))).toEqual([null]);
    expect(see(withLoad(99, [0]), withLoad(80), withLoad(80))).toEqual(["it is 80 % busy"]);
  });
});
