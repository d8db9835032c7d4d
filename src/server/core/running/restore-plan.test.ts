import { expect, test } from "bun:test";
import { createEnded, createQueued, createRunning, createStarting } from "../../../../tests/support/samples.ts";
import type { Job } from "../jobs/job.ts";
import { planRestore } from "./restore-plan.ts";

const LAUNCH = createStarting("a", { startedAt: 500 });

test.each([
  ["not known", null, true],
  ["queued", createQueued("a"), true],
  ["starting at another time", createStarting("a", { startedAt: 400 }), true],
  ["starting at this time", LAUNCH, false],
  ["running", createRunning("a"), false],
  ["ended", createEnded("a"), false],
])("a launch of a job that the backup has as %s", (_, stored: Job | null, isTold) => {
  expect(planRestore(() => stored, [LAUNCH])).toEqual(isTold ? [LAUNCH] : []);
});
