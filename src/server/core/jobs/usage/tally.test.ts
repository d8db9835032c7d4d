import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { USAGE_KEYS } from "../../../../wire/usage/usage.ts";
import { countGpuSeconds, listStints, type SpentJob } from "./stints.ts";
import { addUsed, tellTally } from "./tally.ts";

const JOB: SpentJob = {
  user: "ann",
  name: null,
  batchId: null,
  status: "completed",
  createdAt: 0,
  startedAt: 100,
  completedAt: 3700,
  gpuIdxs: [0],
  bookedGpus: null,
  past: [],
  idleShare: null,
};
const ALL = { since: 0, until: 100_000 };

const tell = (jobs: readonly SpentJob[], asked: Partial<Parameters<typeof addUsed>[2]> = {}) =>
  tellTally(addUsed(new Map(), jobs, { ...ALL, by: "user", ...asked }));

describe("what jobs used", () => {
  test("is all attempts, of those that run up to now, and of what was over before nothing", () => {
    const first = { startedAt: 10, endedAt: 20, gpuIdxs: [0, 1] };
    const second = { startedAt: 50, endedAt: 60, gpuIdxs: [0, 1], bookedGpus: 0.5 };
    const count = (job: Partial<SpentJob>, since: number) =>
      countGpuSeconds(listStints({ ...JOB, past: [first, second], ...job }, { since, until: 200 }));
    const running = { status: "running", completedAt: null } as const;
    expect(count(running, 0)).toBe(20 + 5 + 100);
    expect(count({ ...running, bookedGpus: 0.25 }, 55)).toBe(2.5 + 25);
    expect(count({ status: "queued", startedAt: null, completedAt: null }, 15)).toBe(10 + 5);
    expect(count({ status: "killed", startedAt: 50, completedAt: 190 }, 0)).toBe(20 + 5);
    expect(count({ status: "failed", startedAt: null, completedAt: 150, past: [] }, 0)).toBe(0);
  });

  test("has how long they waited that started within the time, and how idle those were of which it is known", () => {
    const jobs = [
      { ...JOB, idleShare: 0.5 },
      { ...JOB, startedAt: 300, completedAt: 1500, status: "failed", idleShare: 0 },
      { ...JOB, name: "base", createdAt: 50 },
    ] as const;
    expect(tell(jobs)).toEqual([
      { key: "ann", gpu_hours: 2.33, jobs: 3, failed: 1, mean_wait_s: 150, idle_share: 0.375 },
    ]);
    expect(tell(jobs, { since: 200 })).toMatchObject([{ jobs: 3, mean_wait_s: 300 }]);
    expect(tell(jobs, { since: 400 })).toMatchObject([{ jobs: 3, mean_wait_s: null }]);
    expect(tell(jobs, { by: "name" }).map(({ key, jobs: count }) => [key, count])).toEqual([
      [null, 2],
      ["base", 1],
    ]);
  });

  test("by GPU is that of each, and of CPU jobs none", () => {
    const jobs = [
      { ...JOB, gpuIdxs: [0, 1] },
      { ...JOB, gpuIdxs: [1, 2], bookedGpus: 0.5 },
      { ...JOB, gpuIdxs: [] },
    ];
    expect(tell(jobs, { by: "gpu" }).map(({ key, gpu_hours: hours, jobs: count }) => [key, hours, count])).toEqual([
      ["1", 1.25, 2],
      ["0", 1, 1],
      ["2", 0.25, 1],
    ]);
  });

  const moment = fc.integer({ min: 0, max: 1000 });
  const span = fc.tuple(moment, moment).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const gpus = fc.uniqueArray(fc.nat(3), { maxLength: 3 });
  const attempt = fc.tuple(span, gpus).map(([[startedAt, endedAt], gpuIdxs]) => ({ startedAt, endedAt, gpuIdxs }));
  const job: fc.Arbitrary<SpentJob> = fc
    .tuple(span, gpus, fc.array(attempt, { maxLength: 3 }), fc.constantFrom("ann", "bob"), fc.option(fc.boolean()))
    .map(([[startedAt, completedAt], gpuIdxs, past, user, isNamed]) => ({
      ...JOB,
      ...{ startedAt, completedAt, gpuIdxs, past, user },
      name: isNamed ? user : null,
    }));
  const jobs = fc.array(job, { maxLength: 12 });

  test("adds up to the same by whatever it is told, and however the time is cut", () => {
    const add = (list: readonly SpentJob[], since: number, until: number) =>
      countGpuSeconds(list.flatMap((one) => listStints(one, { since, until })));
    const isSame = (list: readonly SpentJob[], cut: number): void => {
      const whole = add(list, 0, 1000);
      expect(add(list, 0, cut) + add(list, cut, 1000)).toBeCloseTo(whole, 6);
      for (const by of USAGE_KEYS) {
        const told = tell(list, { since: 0, until: 1000, by }).map(({ gpu_hours: hours }) => hours);
        expect(Math.abs(told.reduce((sum, hours) => sum + hours, 0) - whole / 3600)).toBeLessThan(0.006 * 5);
        expect(told).toEqual(told.toSorted((a, b) => b - a));
      }
    };
    fc.assert(fc.property(jobs, moment, isSame));
  });

  test("is the same in whatever slices it is taken in", () => {
    const asked = { since: 100, until: 900, by: "name" } as const;
    const isSame = (list: readonly SpentJob[], at: number): void => {
      const first = addUsed(new Map(), list.slice(0, at), asked);
      expect(tellTally(addUsed(first, list.slice(at), asked))).toEqual(tellTally(addUsed(new Map(), list, asked)));
    };
    fc.assert(fc.property(jobs, fc.nat(12), isSame));
  });
});
