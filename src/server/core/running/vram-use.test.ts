import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createRunning } from "../../../../tests/support/samples.ts";
import { type ActiveJob, isActive, type JobId, type RunningJob } from "../jobs/job.ts";
import { applyJobEvent } from "../jobs/job-transition.ts";
import type { Gpu } from "../queue/gpu.ts";
import { type Excesses, judgeVram, type VramJudgement } from "./vram-use.ts";

const BOOKED = 4000;

type Look = Readonly<Record<string, number | null>>;

const look = (uses: Look, index = 0): Gpu =>
  createGpu(index, [], {
    users: Object.entries(uses).map(([id, memoryMib], place) => ({ pid: place + 1, memoryMib, jobId: id as JobId })),
  });

const sharer = (id: string, fields: Partial<RunningJob> = {}): RunningJob =>
  createRunning(id, { gpuIdxs: [0], vramMib: BOOKED, ...fields });

const A = sharer("a");
const B = sharer("b");

type Change = VramJudgement["changes"][number];

const carryOut = (job: ActiveJob, { id, event }: Change): ActiveJob => {
  if (id !== job.id) return job;
  const next = applyJobEvent(job, event);
  return next.ok && isActive(next.value) ? next.value : job;
};

const tell = ({ id, event }: Change): string =>
  event.kind === "halt" ? `${id} ends` : `${id} ${event.vramPeakMib}${event.isOverBooked ? " over" : ""}`;

const judgeLooks = (looks: readonly Look[], jobs: readonly ActiveJob[], isEnforced = true): readonly string[] => {
  let before: Excesses = new Map();
  let active = jobs;
  return looks.map((uses) => {
    const { changes, excesses } = judgeVram({ active, gpus: [look(uses)], isEnforced, before });
    before = excesses;
    active = active.map((job) => changes.reduce(carryOut, job));
    return changes.map(tell).join(", ");
  });
};

describe("the memory that a job has", () => {
  test("is noted where it is more than ever", () => {
    expect(judgeLooks([{ a: 100 }, { a: 90 }, { a: 300, b: 0 }], [A, B])).toEqual(["a 100", "", "a 300"]);
  });

  test("is the most of any of its GPUs", () => {
    const job = sharer("a", { gpuIdxs: [0, 1] });
    const gpus = [look({ a: 100 }), look({ a: 700 }, 1)];
    expect(judgeVram({ active: [job], gpus, isEnforced: true, before: new Map() }).changes).toEqual([
      { id: job.id, event: { kind: "measure", vramPeakMib: 700, isOverBooked: false } },
    ]);
  });

  test("is told once an attempt where it is above what was booked in two looks in a row", () => {
    const looks = [{ a: 4100 }, { a: 3900 }, { a: 4100 }, { a: 4050 }, { a: 4100 }, { a: 4200 }];
    expect(judgeLooks(looks, [A])).toEqual(["a 4100", "", "", "a 4100 over", "", "a 4200"]);
  });

  test("ends it where it is far above in two looks in a row while another job is there", () => {
    const looks = [{ a: 5000 }, { a: 5000 }, { a: 5000 }];
    expect(judgeLooks(looks, [A, B])).toEqual(["a 5000", "a 5000 over, a ends", ""]);
    expect(judgeLooks(looks, [A])).toEqual(["a 5000", "a 5000 over", ""]);
    expect(judgeLooks(looks, [A, B], false)).toEqual(["a 5000", "a 5000 over", ""]);
    expect(judgeLooks([{ a: 4800 }, { a: 4800 }, { a: 4800 }], [A, B])).toEqual(["a 4800", "a 4800 over", ""]);
    expect(judgeLooks(looks, [{ ...A, markedForKill: true }, B])).toEqual(["a 5000", "a 5000 over", ""]);
  });

  test("ends nothing where it is not known", () => {
    expect(judgeLooks([{ a: 5000 }, { a: null }, { a: 5000 }], [A, B])).toEqual(["a 5000", "", ""]);
    const facts = { active: [A, B], gpus: [createGpu(0, [7])], isEnforced: true, before: new Map() };
    expect(judgeVram(facts).changes).toEqual([]);
    expect(judgeVram({ ...facts, gpus: [] }).changes).toEqual([]);
  });

  test("of one that booked none is noted, and nothing else", () => {
    const { vramMib: _booked, ...alone } = A;
    expect(judgeLooks([{ a: 9000 }, { a: 9000 }, { a: 9000 }], [alone])).toEqual(["a 9000", "", ""]);
  });

  test("never ends a job that was not far above in the last two looks", () => {
    const use = fc.option(fc.constantFrom(0, 3900, 4000, 4001, 4800, 4801, 9000), { freq: 6 });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 12 }), (uses) => {
        const told = judgeLooks(
          uses.map((a) => ({ a })),
          [A, B],
        );
        const isFar = (at: number): boolean => (uses[at] ?? 0) > 1.2 * BOOKED;
        const expected = uses.findIndex((_use, at) => at > 0 && isFar(at) && isFar(at - 1));
        expect(told.findIndex((events) => events.includes("ends"))).toBe(expected);
      }),
    );
  });
});
