import { describe, expect, test } from "bun:test";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import type { ActiveJob, QueuedJob } from "../jobs/job.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus, selectGpus } from "./gpu-selection.ts";
import { nameNeed, parseNeed } from "./needs/need-name.ts";
import { decideStarts } from "./queue-turns.ts";
import { createLimitsOf } from "./user-limits.ts";

const NOW = 10_000;
const LIMIT_S = 1000;
const GIB = 1024;

const NEED = { numGpus: 1, requestedGpuIdxs: [], ignoreBlacklist: false };

const choose = (need: Partial<QueuedJob>, gpus: readonly Gpu[], active: readonly ActiveJob[] = []) =>
  selectGpus({ ...NEED, ...need }, describeGpus(gpus, active, new Set()));

const withMemory = (...gibs: readonly number[]): readonly Gpu[] =>
  gibs.map((gib, index) => createGpu(index, [], { memoryTotal: gib * GIB, name: `GPU with ${gib}`, users: [] }));

const sharer = (id: string, index: number, gib: number): ActiveJob =>
  createRunning(id, { gpuIdxs: [index], vramMib: gib * GIB });

describe("the order of choice", () => {
  test("of a job that shares: GPUs that are shared, the least room first; then the smallest memory, then the lowest index", () => {
    const vram = { vramMib: 2 * GIB };
    expect(choose(vram, withMemory(24, 16, 8, 8))).toEqual([2]);
    expect(choose(vram, withMemory(24, 16, 8, 8), [sharer("a", 0, 4)])).toEqual([0]);
    expect(choose(vram, withMemory(24, 16, 8, 8), [sharer("a", 0, 4), sharer("b", 1, 4)])).toEqual([1]);
    expect(choose({ ...vram, numGpus: 3 }, withMemory(24, 16, 8, 8), [sharer("a", 0, 4)])).toEqual([0, 2, 3]);
    const [first, ...rest] = withMemory(8, 8);
    expect(choose(vram, first === undefined ? [] : [{ ...first, doubt: "it is 40 % busy" }, ...rest])).toEqual([0]);
  });

  test("of one that wants a GPU alone: the index, unless it says which will do; then the smallest that fits", () => {
    const gpus = withMemory(24, 16, 8, 16);
    expect(choose({}, gpus)).toEqual([0]);
    expect(choose({ minVramMib: 10 * GIB }, gpus)).toEqual([1]);
    expect(choose({ gpuType: "WITH" }, gpus)).toEqual([2]);
    expect(choose({ gpuType: "with 2" }, gpus)).toEqual([0]);
    expect(choose({ minVramMib: 10 * GIB, numGpus: 2 }, gpus)).toEqual([1, 3]);
    expect(choose({ minVramMib: 25 * GIB }, gpus)).toBeNull();
  });
});

test("a job that would be over the limit on the smallest GPU is given the largest", () => {
  const gpus = withMemory(16, 24);
  const limitsOf = createLimitsOf({ maxGpus: 1 });
  const running = { ...createRunning("a", { gpuIdxs: [1], vramMib: 12 * GIB, numGpus: 1 }), bookedGpus: 0.5 };
  const give = (gib: number, active: readonly ActiveJob[] = [running]) =>
    decideStarts(
      {
        ...{ queued: [createQueued("b", { vramMib: gib * GIB })], active, limitsOf },
        ...{ maxCpuJobs: 0, maxPassedOverS: LIMIT_S },
      },
      describeGpus(gpus, [], new Set()),
      NOW,
    ).map(({ gpuIdxs }) => gpuIdxs);
  expect([give(8), give(12), give(13)]).toEqual([[[0]], [[1]], []]);
});

test("half a GiB of each GPU is not booked", () => {
  const gpus = withMemory(8);
  expect([choose({ vramMib: 7680 }, gpus), choose({ vramMib: 7681 }, gpus)]).toEqual([[0], null]);
});

test("a GPU that is kept for a job that wants it alone takes no new sharer", () => {
  const gpus = withMemory(24);
  const states = describeGpus(gpus, [sharer("a", 0, 4)], new Set());
  const facts = { active: [sharer("a", 0, 4)], maxCpuJobs: 0, maxPassedOverS: LIMIT_S };
  const next = createQueued("next", { vramMib: GIB, createdAt: NOW });
  const startWith = (createdAt: number) =>
    decideStarts({ ...facts, queued: [createQueued("alone", { createdAt }), next] }, states, NOW).map(
      ({ job }) => job.id,
    );
  expect(startWith(NOW - LIMIT_S)).toEqual([next.id]);
  expect(startWith(NOW - LIMIT_S - 1)).toEqual([]);
});

test("needs of different kinds are told apart, and read as they were written", () => {
  const need = { ...NEED, vramMib: 10, minVramMib: null, gpuType: null, share: null, avoidedGpuIdxs: [] };
  expect(parseNeed(nameNeed(need))).toEqual(need);
  expect(nameNeed({ ...need, gpuType: "A100" })).toBe(nameNeed({ ...need, gpuType: "a100" }));
  expect(nameNeed(need)).not.toBe(nameNeed({ ...need, vramMib: null, minVramMib: 10 }));
  expect(nameNeed({ ...NEED, vramMib: null })).toBe(nameNeed(NEED));
  expect(nameNeed({ ...NEED, numGpus: 0, gpuType: "x" })).toBe(nameNeed({ ...NEED, numGpus: 0 }));
});
