import { expect, test } from "bun:test";
import { createRunning } from "../../../../tests/support/samples.ts";
import { RETRY_CAUSES } from "../../../wire/job-fields/retries.ts";
import { describeHalt, type Halt } from "./halt.ts";
import type { JobStatus } from "./job.ts";
import { applyJobEvent } from "./job-transition.ts";

const HALTS: readonly (readonly [Halt, string, JobStatus])[] = [
  [{ cause: "time", limitS: 7200 }, "Time limit of 2 h reached", "queued"],
  [{ cause: "oom", usedMib: 7270, bookedMib: 4096 }, "Used 7.1 GiB of GPU memory, booked 4 GiB", "queued"],
  [{ cause: "idle", limitS: 3600 }, "GPUs idle for 1 h", "failed"],
  [{ cause: "silence", limitS: 1800 }, "Log silent for 30 min", "failed"],
];

test.each(HALTS)(
  "a job halted by %j fails with %j, and is %s then, whatever it is to be retried for",
  (halt, text, status) => {
    expect(describeHalt(halt)).toBe(text);
    const job = createRunning("a", { halt, retry: { count: 3, causes: RETRY_CAUSES } });
    const lost = applyJobEvent(job, { kind: "lose", at: 300, reason: "Lost: its session ended" });
    expect(lost.ok && lost.value.status).toBe(status);
    const failed = applyJobEvent({ ...job, retry: null }, { kind: "lose", at: 300, reason: "Lost: its session ended" });
    expect(failed).toMatchObject({ ok: true, value: { status: "failed", errorMessage: text, exitCode: null } });
  },
);
