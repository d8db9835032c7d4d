import { describe, expect, test } from "bun:test";
import { createGpu, createRunning } from "../../../../tests/support/samples.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus, listEligibleGpus, nameGpuUse, selectGpus } from "./gpu-selection.ts";

const ANY = { requestedGpuIdxs: [], ignoreBlacklist: false };

const busy = createRunning("a", { gpuIdxs: [1] });
const machine = (blacklisted: readonly number[] = []) =>
  describeGpus([createGpu(3), createGpu(2, [4242]), createGpu(1), createGpu(0)], [busy], new Set(blacklisted));

describe("describeGpus", () => {
  test("says which job has a GPU and which GPUs are blacklisted", () => {
    expect(
      machine([3, 7]).map(({ index, runningJobId, isBlacklisted }) => [index, runningJobId, isBlacklisted]),
    ).toEqual([
      [3, null, true],
      [2, null, false],
      [1, busy.id, false],
      [0, null, false],
    ]);
  });
});

describe("selectGpus", () => {
  test.each([
    ["a CPU job needs none", { ...ANY, numGpus: 0 }, [], []],
    ["the lowest free one", { ...ANY, numGpus: 1 }, [], [0]],
    ["two, past one that a job has and one that a foreign process uses", { ...ANY, numGpus: 2 }, [], [0, 3]],
    ["not more than are free", { ...ANY, numGpus: 3 }, [], null],
    ["not a blacklisted one", { ...ANY, numGpus: 1 }, [0], [3]],
    ["a blacklisted one if the job says so", { ...ANY, numGpus: 2, ignoreBlacklist: true }, [0], [0, 3]],
    ["the others before a blacklisted one", { ...ANY, numGpus: 1, ignoreBlacklist: true }, [0], [3]],
    ["those asked for", { ...ANY, numGpus: 1, requestedGpuIdxs: [3] }, [], [3]],
    ["in ascending order", { ...ANY, numGpus: 2, requestedGpuIdxs: [3, 0] }, [], [0, 3]],
    ["none when one asked for is taken", { ...ANY, numGpus: 2, requestedGpuIdxs: [0, 1] }, [], null],
    ["none when the one asked for does not exist", { ...ANY, numGpus: 1, requestedGpuIdxs: [9] }, [], null],
    ["none when the one asked for is blacklisted", { ...ANY, numGpus: 1, requestedGpuIdxs: [3] }, [3], null],
  ] as const)("%s", (_name, need, blacklist, expected) => {
    expect(selectGpus(need, machine(blacklist))).toEqual(expected as number[] | null);
  });
});

test("a GPU in use stays eligible, a blacklisted one does not", () => {
  expect(listEligibleGpus({ ...ANY, numGpus: 1 }, machine([0])).map((gpu) => gpu.index)).toEqual([1, 2, 3]);
});

describe("a GPU that was not seen well", () => {
  const odd = (overrides: Partial<Gpu>) => describeGpus([createGpu(0, [], overrides), createGpu(1)], [], new Set());

  test.each([
    ["is given to no job, also if it is asked for", { fault: "GPU is lost" }, null],
    ["is given to no job while others use it", { unseenUse: "it is 98 % busy" }, null],
    ["comes after the others where that is only doubted", { doubt: "it is 40 % busy" }, [0]],
  ] as const)("%s", (_name, overrides, asked) => {
    expect(selectGpus({ ...ANY, numGpus: 1 }, odd(overrides))).toEqual([1]);
    expect(selectGpus({ ...ANY, numGpus: 1, requestedGpuIdxs: [0] }, odd(overrides))).toEqual(asked as number[] | null);
    expect(selectGpus({ ...ANY, numGpus: 2, ignoreBlacklist: true }, odd(overrides))).toEqual(
      asked === null ? null : [0, 1],
    );
  });

  test("does not come free by waiting, so nothing is kept for it", () => {
    expect(listEligibleGpus({ ...ANY, numGpus: 1 }, odd({ fault: "GPU is lost" })).map(({ index }) => index)).toEqual([
      1,
    ]);
  });

  test("is named for what speaks against it, unless a job has it", () => {
    const uses = (overrides: Partial<Gpu>) => odd(overrides).map(nameGpuUse);
    expect([uses({ fault: "ERR!" }), uses({ unseenUse: "it is busy" }), uses({ doubt: "x" })]).toEqual([
      ["faulty", "free"],
      ["foreign", "free"],
      ["free", "free"],
    ]);
    const owned = describeGpus([createGpu(1, [], { fault: "ERR!", unseenUse: "x" })], [busy], new Set());
    expect(owned.map(nameGpuUse)).toEqual(["busy"]);
  });
});

describe("a GPU that failed a job", () => {
  const give = (need: Partial<Parameters<typeof selectGpus>[0]>, overrides: Partial<Gpu> = {}) =>
    selectGpus(
      { ...ANY, numGpus: 1, avoidedGpuIdxs: [0], ...need },
      describeGpus([createGpu(0, [], overrides), createGpu(1)], [], new Set([1])),
    );

  test("is given to it after all others, blacklisted ones too", () => {
    expect(give({ ignoreBlacklist: true })).toEqual([1]);
    expect(give({ ignoreBlacklist: true, numGpus: 2 })).toEqual([0, 1]);
    expect(give({})).toEqual([0]);
    expect(give({ avoidedGpuIdxs: [1], ignoreBlacklist: true })).toEqual([0]);
  });

  test("is given to it only when it is seen well, to others also when that is doubted", () => {
    const doubted = { doubt: "it is 40 % busy" };
    expect([give({}, doubted), give({ requestedGpuIdxs: [0] }, doubted)]).toEqual([null, null]);
    expect(give({ avoidedGpuIdxs: [] }, doubted)).toEqual([0]);
  });
});
