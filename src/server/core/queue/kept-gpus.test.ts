import { expect, test } from "bun:test";
import fc from "fast-check";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import { beginDrain, endDrain, NO_DRAINS } from "./drain.ts";
import type { Gpu } from "./gpu.ts";
import { describeGpus } from "./gpu-selection.ts";
import { decideStarts, findKeptFrom, type QueueFacts } from "./queue-turns.ts";

const NOW = 10_000;
const LIMIT_S = 1800;
const OLD = NOW - LIMIT_S - 1;

const wide = createQueued("wide", { numGpus: 2, createdAt: OLD });
const small = createQueued("small", { numGpus: 1, createdAt: NOW - 1 });
const runs = createRunning("runs", { gpuIdxs: [0] });

const createFacts = (change: Partial<QueueFacts> = {}): QueueFacts => ({
  queued: [wide, small],
  active: [runs],
  maxCpuJobs: 1,
  maxPassedOverS: LIMIT_S,
  ...change,
});

const MACHINE = [createGpu(0), createGpu(1)];

const listStarts = (facts: QueueFacts, gpus: readonly Gpu[] = MACHINE, blacklist: readonly number[] = []) =>
  decideStarts(facts, describeGpus(gpus, facts.active, new Set(blacklist)), NOW).map(({ job }) => job.id as string);

test("a free GPU is kept for a job that was passed over for too long, while a job has the other", () => {
  expect(listStarts(createFacts())).toEqual([]);
  expect(listStarts(createFacts({ queued: [{ ...wide, createdAt: NOW - LIMIT_S + 1 }, small] }))).toEqual(["small"]);
});

test.each([
  ["another uses it", [createGpu(0, [7]), createGpu(1)], []],
  ["it is in use by who can't be seen", [createGpu(0, [], { unseenUse: "98 % busy" }), createGpu(1)], []],
  ["it is out of order", [createGpu(0, [], { fault: "lost" }), createGpu(1)], []],
  ["it is blacklisted", MACHINE, [0]],
] as const)("nothing is kept while one of its GPUs may never come free: %s", (_why, gpus, blacklist) => {
  expect(listStarts(createFacts({ active: [] }), gpus, blacklist)).toEqual(["small"]);
});

test("GPUs are kept from its submission on for a job that none may pass, and in its place in the queue", () => {
  const unpassed = { ...wide, createdAt: NOW - 2, noPassing: true };
  expect(listStarts(createFacts({ queued: [unpassed, small] }))).toEqual([]);
  expect(listStarts(createFacts({ queued: [unpassed, { ...small, priority: 1 }] }))).toEqual(["small"]);
  expect(listStarts(createFacts({ queued: [{ ...unpassed, heldBy: "user" as const }, small] }))).toEqual(["small"]);
});

test("the time in which the server was drained does not count", () => {
  const wish = { why: null, until: null, by: "ann" };
  const drains = endDrain(beginDrain(NO_DRAINS, wish, NOW - 1000), NOW - 900);
  expect(listStarts(createFacts({ drains }))).toEqual(["small"]);
});

const drains = fc
  .tuple(fc.integer({ min: OLD - 100, max: NOW - 2 }), fc.nat(LIMIT_S))
  .map(([from, seconds]) => ({ last: null, past: [{ from, to: Math.min(NOW, from + seconds) }] }));

test("GPUs are kept from just the time that is told, wherever in it the server was drained", () => {
  fc.assert(
    fc.property(fc.integer({ min: OLD - 100, max: NOW - 2 }), fc.option(drains), (createdAt, drained) => {
      const job = { ...wide, createdAt };
      const facts = createFacts({ queued: [job, small], drains: drained ?? NO_DRAINS });
      const all = describeGpus(MACHINE, facts.active, new Set());
      const from = findKeptFrom(facts, all, { job, now: NOW }) ?? Number.NaN;
      expect(decideStarts(facts, all, from).length).toBe(1);
      expect(decideStarts(facts, all, from + 1).length).toBe(0);
    }),
  );
});
