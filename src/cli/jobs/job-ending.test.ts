import { expect, test } from "bun:test";
import type { WireJob } from "../../wire/job.ts";
import { chooseExitCode, describeEnding } from "./job-ending.ts";

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
  [{ status: "killed" }, "Job k3f9ab was killed", 143],
])("%j is told in one line, and has an exit code", (fields, line, exitCode) => {
  expect(describeEnding(endJob(fields))).toBe(line);
  expect(chooseExitCode(endJob(fields))).toBe(exitCode);
});
