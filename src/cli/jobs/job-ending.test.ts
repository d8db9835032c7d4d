import { expect, test } from "bun:test";
import fc from "fast-check";
import { type WireJob, wireJobSchema } from "../../wire/job.ts";
import { chooseExitCode, concludeJob, describeEnding } from "./job-ending.ts";

const endJob = (fields: Partial<WireJob>): WireJob =>
  ({ id: "k3f9ab", status: "failed", exit_code: null, error_message: null, ...fields }) as WireJob;

test.each<readonly [Partial<WireJob>, string, number]>([
  [{ status: "completed", exit_code: 0 }, "Job k3f9ab completed with exit code 0", 0],
  [{ exit_code: 3, error_message: "Job failed with exit code 3" }, "Job k3f9ab failed with exit code 3", 3],
  [
    { exit_code: 1, error_message: "Job failed with exit code 1. ValueError: x" },
    "Job k3f9ab failed with exit code 1: ValueError: x",
    1,
  ],
  [
    { exit_code: 137, error_message: "Job was terminated by signal 9 (SIGKILL)" },
    "Job k3f9ab failed with exit code 137: terminated by signal 9 (SIGKILL)",
    137,
  ],
  [{ exit_code: 139, error_message: "Died by SIGSEGV" }, "Job k3f9ab failed with exit code 139: Died by SIGSEGV", 139],
  [{ error_message: "Lost: the machine restarted" }, "Job k3f9ab failed: Lost: the machine restarted", 1],
  [{ exit_code: 0, error_message: "Out of time" }, "Job k3f9ab failed with exit code 0: Out of time", 1],
  [{ status: "killed" }, "Job k3f9ab was killed", 143],
  [{ status: "killed", exit_code: 0 }, "Job k3f9ab was killed", 143],
])("%j is told in one line, and has an exit code", (fields, line, exitCode) => {
  expect(describeEnding(endJob(fields))).toBe(line);
  expect(chooseExitCode(endJob(fields))).toBe(exitCode);
});

test("the exit code is 0 for a job that completed and for no other, whatever its own code, and the job's own where that says so", () => {
  const statuses = wireJobSchema.shape.status.options;
  const codes = fc.option(fc.oneof(fc.integer({ min: -300, max: 300 }), fc.constantFrom(0, 256, -256, 512)));
  fc.assert(
    fc.property(fc.constantFrom(...statuses), codes, (status, exit_code) => {
      const job = endJob({ status, exit_code });
      const exitCode = chooseExitCode(job);
      expect(exitCode % 256 === 0).toBe(status === "completed");
      if (status !== "completed" && exit_code !== null && exit_code % 256 !== 0)
        expect((exitCode - exit_code) % 256 === 0).toBe(true);
      for (const isJson of [true, false])
        expect(concludeJob(job, isJson)).toMatchObject(
          isJson && exitCode !== 0 ? { ok: false, error: { exitCode } } : { ok: true, value: exitCode },
        );
    }),
  );
});
