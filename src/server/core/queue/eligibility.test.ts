import { expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import type { JobWaits } from "../jobs/fields/waits.ts";
import type { QueuedJob } from "../jobs/job.ts";
import { findIneligibility, findReadyAt } from "./eligibility.ts";
import { describeIneligibility } from "./eligibility-text.ts";
import { describeGpus } from "./gpu-selection.ts";
import { decideStarts, listTurns } from "./queue-turns.ts";

const NOW = 1000;
const LIMIT_S = 100;

const PAST = { attempts: [], dir: "/", hasWork: false, messages: {} };

const waits: fc.Arbitrary<JobWaits & Pick<QueuedJob, "past">> = fc.record(
  {
    heldBy: fc.constantFrom("user" as const, "admin" as const, null),
    beginAt: fc.option(fc.integer({ min: NOW - 9, max: NOW + 9 })),
    past: fc.integer({ min: NOW - 9, max: NOW + 9 }).map((retryAt) => ({ ...PAST, retryAt })),
    isWaiting: fc.boolean(),
  },
  { requiredKeys: [] },
);

const queue = fc
  .array(fc.record({ waits, numGpus: fc.nat(2), createdAt: fc.integer({ min: 1, max: NOW }) }), { maxLength: 8 })
  .map((all) => all.map(({ waits: own, ...fields }, index) => createQueued(`q${index}`, { ...fields, ...own })));

const GPUS = describeGpus([createGpu(0), createGpu(1)], [], new Set());

test("the reason is the first that applies, with its end where that is known", () => {
  const explain = (own: JobWaits) => findIneligibility(createQueued("a", own), NOW);
  expect(explain({})).toBeNull();
  expect(explain({ beginAt: NOW })).toBeNull();
  expect(explain({ beginAt: NOW + 1 })).toEqual({ kind: "begin", until: NOW + 1 });
  const past = { attempts: [], retryAt: NOW + 5, dir: "/", hasWork: false, messages: {} };
  expect(findIneligibility(createQueued("a", { past }), NOW)).toEqual({ kind: "retry", until: NOW + 5 });
  expect(findIneligibility(createQueued("a", { past }), NOW + 5)).toBeNull();
  expect(findIneligibility(createQueued("a", { past, beginAt: NOW + 9 }), NOW)).toEqual({
    kind: "begin",
    until: NOW + 9,
  });
  expect(explain({ isWaiting: true })).toEqual({ kind: "after", until: null });
  expect(explain({ isWaiting: true, beginAt: NOW + 1 })).toEqual({ kind: "begin", until: NOW + 1 });
  expect(explain({ heldBy: "user", beginAt: NOW + 1 })).toEqual({ kind: "held", by: "user", until: null });
});

test("a job is ready from just the time on from which nothing but the machine keeps it", () => {
  fc.assert(
    fc.property(waits, fc.integer({ min: NOW - 9, max: NOW + 9 }), (own, now) => {
      const readyAt = findReadyAt(own);
      expect(findIneligibility(createQueued("a", own), now) === null).toBe(readyAt !== null && readyAt <= now);
    }),
  );
});

test("a job that has no turn takes nothing and keeps nothing: the others start as if it were not there", () => {
  fc.assert(
    fc.property(queue, (queued) => {
      const facts = { queued, active: [], maxCpuJobs: 2, maxPassedOverS: LIMIT_S };
      const others = queued.filter((job) => findIneligibility(job, NOW) === null);
      expect(decideStarts(facts, GPUS, NOW)).toEqual(decideStarts({ ...facts, queued: others }, GPUS, NOW));
    }),
  );
});

test("a job keeps GPUs by the time that it had turns, not by its age", () => {
  const old = { numGpus: 3, createdAt: 1 };
  const active = [createRunning("runs", { gpuIdxs: [2] })];
  const gpus = describeGpus([createGpu(0), createGpu(1), createGpu(2)], active, new Set());
  const isKept = (own: JobWaits): boolean => {
    const facts = {
      queued: [createQueued("a", { ...old, ...own })],
      active,
      maxCpuJobs: 0,
      maxPassedOverS: LIMIT_S,
    };
    const next = { ...facts, queued: [...facts.queued, createQueued("b", { createdAt: 2 })] };
    return listTurns(next, gpus, NOW)[1]?.gpuIdxs === null;
  };
  expect([isKept({}), isKept({ beginAt: NOW - 5 }), isKept({ uncountedS: 950 }), isKept({ uncountedS: 800 })]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

test("the reason is told with what ends it", () => {
  const job = createQueued("k3f9ab");
  expect(describeIneligibility(job, { kind: "held", by: "user", until: null }, [])).toBe(
    "It is held: nx release k3f9ab lets it start",
  );
  expect(describeIneligibility(job, { kind: "held", by: "admin", until: null }, [])).toContain("held by an admin");
  expect(describeIneligibility(job, { kind: "begin", until: 1_800_000_000 }, [])).toBe(
    "It is not to start before 2027-01-15T08:00:00Z",
  );
  const after = (needs: readonly string[]) => describeIneligibility(job, { kind: "after", until: null }, needs);
  expect(after(["a"])).toBe("It waits for job a");
  expect(after(["a", "b", "c"])).toBe("It waits for jobs a, b, c");
  expect(after(["a", "b", "c", "d"])).toBe("It waits for jobs a, b, c and others");
});
