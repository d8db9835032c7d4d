import { expect, test } from "bun:test";
import { createGpu, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import { explainWaits, type WaitFacts } from "./wait.ts";
import { toWireWait } from "./wire-wait.ts";

const owners = new Map([[7, { user: "bob", program: "python" }]]);
const notes = { owners, gpuError: null, gpuHint: null, maxPassedOverS: 1800, listNeeds: () => [] };

const explain = (changes: Partial<WaitFacts>) => {
  const facts: WaitFacts = {
    ...{ queued: [], active: [], gpus: [], blacklist: new Set(), maxCpuJobs: 1, maxPassedOverS: 1800 },
    ...changes,
  };
  const ids = facts.queued.map(({ id }) => id);
  return [...explainWaits(facts, 200, new Set(ids))].map((wait, index) =>
    toWireWait(wait, { length: ids.length, before: index, ahead: ids.slice(0, index) }, notes),
  );
};

test("each GPU that a job might get is told with what keeps it from it, and the jobs are counted from one", () => {
  const gpus = [
    createGpu(0),
    createGpu(1),
    createGpu(2, [7, 8]),
    createGpu(3, [], { fault: "GPU is lost" }),
    createGpu(4, [], { unseenUse: "it is 98 % busy" }),
    createGpu(5),
  ];
  const queued = [createQueued("first", { createdAt: 100 }), createQueued("next", { createdAt: 101, numGpus: 2 })];
  const active = [createRunning("runs", { gpuIdxs: [1], user: "eve" })];
  const free = { job_id: null, user: null, processes: [] };
  const [first, next] = explain({ queued, active, gpus, blacklist: new Set([5]) });
  expect(first).toMatchObject({ id: "first", reason: null, position: 1, queue_length: 2, ahead: [], gpus: [] });
  expect(next).toMatchObject({ id: "next", reason: "gpus_taken", position: 2, queue_length: 2, ahead: ["first"] });
  expect(next?.gpus.toSorted((a, b) => a.index - b.index)).toEqual([
    { index: 0, obstacle: "start", job_id: "first", user: "ann", processes: [] },
    { index: 1, obstacle: "job", job_id: "runs", user: "eve", processes: [] },
    {
      ...{ index: 2, obstacle: "processes", job_id: null, user: null },
      processes: [
        { pid: 7, user: "bob", program: "python" },
        { pid: 8, user: null, program: null },
      ],
    },
    { index: 3, obstacle: "fault", ...free },
    { index: 4, obstacle: "unseen_use", ...free },
    { index: 5, obstacle: "blacklist", ...free },
  ]);
});

test("a GPU that is free is told as that, and one for which the job is not the first as kept", () => {
  const queued = [createQueued("old", { createdAt: -5000, numGpus: 2 }), createQueued("new", { createdAt: 101 })];
  const active = [createRunning("runs", { gpuIdxs: [1], user: "eve" })];
  const [old, next] = explain({ queued, active, gpus: [createGpu(0), createGpu(1)] });
  expect(old?.gpus.find(({ index }) => index === 0)).toEqual({
    ...{ index: 0, obstacle: null, job_id: null, user: null, processes: [] },
  });
  expect(next?.gpus.find(({ index }) => index === 0)).toMatchObject({ obstacle: "keep", job_id: "old", user: "ann" });
});
