import { expect, test } from "bun:test";
import { createEnded, createQueued, createRunning, createStarting } from "../../../../tests/support/samples.ts";
import type { Job } from "../jobs/job.ts";
import { planRestore } from "./restore-plan.ts";

const LAUNCH = createStarting("a", { startedAt: 500 });

const tried = (startedAt: number) => ({
  attempts: [{ startedAt, endedAt: 450, gpuIdxs: [], exitCode: 1, reason: "it failed", cause: "exit" as const }],
  ...{ retryAt: 460, dir: "/jobs/a", hasWork: false, messages: {} },
});

test.each([
  ["not known", null, true],
  ["queued", createQueued("a"), true],
  ["starting at another time", createStarting("a", { startedAt: 400 }), true],
  ["starting at this time", LAUNCH, false],
  ["running", createRunning("a"), false],
  ["ended", createEnded("a"), false],
  ["queued again after it", createQueued("a", { past: tried(500) }), false],
  ["running as the attempt after it", createRunning("a", { startedAt: 600, past: tried(500) }), false],
])("a launch of a job that the backup has as %s", (_, stored: Job | null, isTold) => {
  expect(planRestore(() => stored, [LAUNCH])).toEqual(isTold ? [LAUNCH] : []);
});

test("a launch of an attempt that the backup does not know yet is told, whatever the backup has of those before", () => {
  const launch = createStarting("a", { startedAt: 500, past: tried(400) });
  for (const stored of [createRunning("a", { startedAt: 400 }), createQueued("a", { past: tried(400) })])
    expect(planRestore(() => stored, [launch])).toEqual([launch]);
  expect(planRestore(() => createRunning("a", { startedAt: 500, past: tried(400) }), [launch])).toEqual([]);
});
