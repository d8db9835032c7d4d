import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRunning, createStarting, HANDLE } from "../../../../tests/support/samples.ts";
import type { ActiveJob, RunningJob } from "../jobs/job.ts";
import type { Observation } from "./executor.ts";
import { countToNextLimit, decideLimits } from "./time-limit.ts";

const ALIVE: Observation = { kind: "alive", handle: HANDLE };
const BEGUN = { bootId: "boot", s: 1000 };

const limited = (overrides: Partial<RunningJob> = {}): RunningJob =>
  createRunning("a", { startedAt: 200, begunAt: BEGUN, timeLimitS: 60, warnS: 10, ...overrides });

const decide = (job: ActiveJob, { ran, now = 0, seen = ALIVE }: { ran: number; now?: number; seen?: Observation }) => {
  const { halts, warnings } = decideLimits([job], new Map([[job.id, seen]]), {
    now,
    boot: { bootId: "boot", s: 1000 + ran },
  });
  return { halted: halts.map(({ halt }) => halt), warned: warnings.map(({ id }) => String(id)) };
};

const NOTHING = { halted: [], warned: [] };
const HALTED = { halted: [{ cause: "time", limitS: 60 } as const], warned: [] };

describe("decideLimits", () => {
  test("ends a job at its limit and no moment before, whatever the clock on the wall says", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 200, noNaN: true }), fc.double({ noNaN: true }), (ran, now) => {
        const { halted } = decide(limited({ isWarned: true }), { ran, now });
        expect(halted).toEqual(ran >= 60 ? HALTED.halted : []);
      }),
    );
  });

  test("warns once, when the limit is near, or at once where that is past", () => {
    expect(decide(limited(), { ran: 49 })).toEqual(NOTHING);
    expect(decide(limited(), { ran: 50 })).toEqual({ halted: [], warned: ["a"] });
    expect(decide(limited({ isWarned: true }), { ran: 55 })).toEqual(NOTHING);
    expect(decide(limited({ warnS: 600 }), { ran: 0 })).toEqual({ halted: [], warned: ["a"] });
    expect(decide(limited(), { ran: 70 })).toEqual(HALTED);
  });

  test("leaves alone what has no limit, has ended, has not begun or is being ended", () => {
    const seen: Observation = { kind: "exited", exitCode: 0, processesLeft: 0 };
    expect(decide(limited(), { ran: 70, seen })).toEqual(NOTHING);
    for (const job of [
      limited({ timeLimitS: null }),
      createRunning("a"),
      limited({ markedForKill: true }),
      limited({ halt: { cause: "time", limitS: 60 } }),
      createStarting("a", { timeLimitS: 60, begunAt: BEGUN }),
    ])
      expect(decide(job, { ran: 70 })).toEqual(NOTHING);
  });

  test("counts by the clock on the wall where an earlier version started the job", () => {
    const { begunAt: _begun, ...job } = limited({ isWarned: true });
    expect(decide(job, { ran: 0, now: 259 })).toEqual(NOTHING);
    expect(decide(job, { ran: 0, now: 260 })).toEqual(HALTED);
  });
});

test("the next look is when the next job is to be warned or ended", () => {
  const count = (...jobs: readonly ActiveJob[]): number =>
    countToNextLimit(jobs, { now: 0, boot: { bootId: "boot", s: 1020 } });
  expect(count()).toBe(Number.POSITIVE_INFINITY);
  expect(count(limited())).toBe(30);
  expect(count(limited({ isWarned: true }))).toBe(40);
  expect(count(limited({ timeLimitS: 300 }), limited({ warnS: null }))).toBe(40);
});
