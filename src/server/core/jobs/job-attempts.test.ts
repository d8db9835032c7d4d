import { expect, test } from "bun:test";
import { createEnded, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import { listAttempts } from "./job-attempts.ts";

const FIRST = { startedAt: 10, endedAt: 20, gpuIdxs: [1], exitCode: 3, reason: "it failed", cause: "exit" } as const;
const PAST = { attempts: [FIRST], retryAt: 30, dir: "/", hasWork: false, messages: {} } as const;
const TOLD = { started_at: 10, ended_at: 20, gpu_idxs: [1], exit_code: 3, reason: "it failed" };

test("attempts are all that a job ran, the oldest first", () => {
  expect(listAttempts(createQueued("a"))).toEqual([]);
  expect(listAttempts(createQueued("a", { past: PAST }))).toEqual([TOLD]);
  const running = { started_at: 200, ended_at: null, gpu_idxs: [0], exit_code: null, reason: null };
  expect(listAttempts(createRunning("a"))).toEqual([running]);
  expect(listAttempts(createRunning("a", { past: PAST }))).toEqual([TOLD, running]);
  const ended = { ...running, ended_at: 300, exit_code: 7, reason: "why" };
  const failed = { status: "failed", exitCode: 7, errorMessage: "why" } as const;
  expect(listAttempts(createEnded("a", failed))).toEqual([ended]);
  expect(listAttempts(createEnded("a", { ...failed, past: PAST }))).toEqual([TOLD, ended]);
});

test("a job that was given up after its last attempt has no other", () => {
  expect(listAttempts(createEnded("a", { status: "killed", startedAt: 10, past: PAST }))).toEqual([TOLD]);
});
