import { describe, expect, test } from "bun:test";
import { createEnded, createQueued, createRunning, createStarting, HANDLE } from "../../../../tests/support/samples.ts";
import type { Job } from "./job.ts";
import { describeChange, explainEvent } from "./job-change.ts";
import { applyJobEvent, type JobEvent } from "./job-transition.ts";

const tell = (before: Job, event: JobEvent): unknown => {
  const after = applyJobEvent(before, event);
  if (!after.ok) throw new Error(after.error.message);
  return describeChange({ before, after: after.value, reason: explainEvent(event, after.value) });
};

const killed = createRunning("a", { markedForKill: true, killRequestedBy: "10.0.0.7" });

describe("a change of a job is told with its statuses, GPUs, exit code and reason", () => {
  test.each<[Job, JobEvent, Record<string, unknown>]>([
    [
      createQueued("a"),
      { kind: "start", at: 1, gpuIdxs: [1], dir: "/a" },
      { from: "queued", to: "starting", gpus: [1], reason: "its turn has come" },
    ],
    [
      createStarting("a"),
      { kind: "launch", handle: HANDLE },
      { from: "starting", to: "running", gpus: [0], reason: "launched" },
    ],
    [
      createStarting("a"),
      { kind: "requeue", at: 5 },
      { from: "starting", to: "queued", reason: "its launch never began" },
    ],
    [
      createRunning("a"),
      { kind: "exit", at: 1, exitCode: 0 },
      { from: "running", to: "completed", gpus: [0], exit_code: 0, reason: "finished" },
    ],
    [
      createRunning("a"),
      { kind: "exit", at: 1, exitCode: 3 },
      { from: "running", to: "failed", gpus: [0], exit_code: 3, reason: "Job failed with exit code 3" },
    ],
    [
      createRunning("a"),
      { kind: "lose", at: 1, reason: "Lost: the machine restarted" },
      { from: "running", to: "failed", gpus: [0], exit_code: null, reason: "Lost: the machine restarted" },
    ],
    [
      createRunning("a", { halt: { cause: "idle", limitS: 3600 } }),
      { kind: "lose", at: 1, reason: "Lost: its session ended" },
      { from: "running", to: "failed", gpus: [0], exit_code: null, reason: "GPUs idle for 1 h" },
    ],
    [
      killed,
      { kind: "lose", at: 1, reason: "gone" },
      { from: "running", to: "killed", gpus: [0], exit_code: null, reason: "killed by 10.0.0.7" },
    ],
  ])("%#", (before, event, fields) => {
    expect(tell(before, event)).toEqual({ job_id: "a", user: "ann", ...fields });
  });

  test("when it is new, or gone", () => {
    const job = createQueued("a");
    const told = { job_id: "a", user: "ann", reason: "why" };
    expect(describeChange({ before: null, after: job, reason: "why" })).toEqual({ ...told, from: null, to: "queued" });
    expect(describeChange({ before: job, after: null, reason: "why" })).toEqual({ ...told, from: "queued", to: null });
  });

  test("and who asked for a kill is kept until the job has ended", () => {
    const marked = applyJobEvent(createRunning("a"), { kind: "mark_for_kill", by: "10.0.0.7" });
    expect(marked.ok && marked.value).toEqual(killed);
    expect(explainEvent({ kind: "lose", at: 1, reason: "gone" }, createEnded("a", { status: "killed" }))).toBe(
      "killed",
    );
  });

  test("and its reason names who asks for a kill, where that is known", () => {
    const tellKill = (by: { by?: string }) => explainEvent({ kind: "mark_for_kill", ...by }, killed);
    expect([tellKill({ by: "ann" }), tellKill({})]).toEqual(["kill asked for by ann", "kill asked for by someone"]);
  });

  test("and its reason says that it was reported on or edited", () => {
    expect(explainEvent({ kind: "report", reports: {} }, killed)).toBe("reported");
    expect(explainEvent({ kind: "edit", priority: 1 }, createQueued("a"))).toBe("edited");
  });
});
