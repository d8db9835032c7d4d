import { expect, test } from "bun:test";
import { constants } from "node:os";
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

test("each signal by which the kernel ends a program has its name", () => {
  const names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM XCPU XFSZ SYS".split(" ");
  const numbers = new Map<string, number>(Object.entries(constants.signals));
  for (const name of names.map((short) => `SIG${short}`)) {
    const signal = numbers.get(name) ?? 0;
    expect(describeExit(128 + signal)).toBe(`Job was terminated by signal ${signal} (${name})`);
  }
});

test("a hint becomes a second sentence, and there is none for success", () => {
  expect(describeExit(1, "Look at the log")).toBe("Job failed with exit code 1. Look at the log");
  expect(describeExit(0, "Look at the log")).toBe(null);
});
