import { expect, test } from "bun:test";
import { describeExit } from "./exit-code.ts";

test.each([
  [0, null],
  [1, "Job failed with exit code 1"],
  [2, "Job failed with exit code 2"],
  [127, "Job failed with exit code 127"],
  [128, "Job failed with exit code 128"],
  [129, "Job was terminated by signal 1 (SIGHUP)"],
  [130, "Job was terminated by signal 2 (SIGINT)"],
  [137, "Job was terminated by signal 9 (SIGKILL)"],
  [139, "Job was terminated by signal 11 (SIGSEGV)"],
  [143, "Job was terminated by signal 15 (SIGTERM)"],
  [162, "Job was terminated by signal 34"],
  [192, "Job was terminated by signal 64"],
  [193, "Job failed with exit code 193"],
  [255, "Job failed with exit code 255"],
])("exit code %p is told as %p", (exitCode, text) => {
  expect(describeExit(exitCode)).toBe(text);
});
